/**
 * Writes the reference pages of the documentation from the program itself, so that they cannot differ from it:
 * docs/reference/{commands,configuration,metrics,licences}.md. Needs a build. Called by `npm run docs`.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { trainConfigSchema } from "../packages/lab/dist/index.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "docs", "reference");
mkdirSync(folder, { recursive: true });

/** What a command prints as its help. */
function help(...words) {
  const call = [join(root, "packages/cli/dist/main.js"), ...words, "--help"];
  const { status, stdout, stderr } = spawnSync(process.execPath, call, {
    encoding: "utf8",
    env: { ...process.env, COLUMNS: "110" },
  });
  if (status !== 0) throw new Error(`sedge ${words.join(" ")} --help: exit ${status}: ${stderr}`);
  return stdout.trimEnd();
}

/** The names under `Commands:` in a help text. */
function subcommands(text) {
  const list = text.split(/^Commands:$/m)[1]?.split(/^\S/m)[0] ?? "";
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)\b/gm)].map(([, name]) => name).filter((name) => name !== "help");
}

function commandSections(words, level) {
  const text = help(...words);
  const title = ["sedge", ...words].join(" ");
  const section = `${"#".repeat(level)} ${title}\n\n\`\`\`text\n${text}\n\`\`\`\n`;
  return [section, ...subcommands(text).flatMap((name) => commandSections([...words, name], Math.min(level + 1, 3)))];
}

/** Leaves of a JSON schema as rows: key, what is allowed, default, meaning. Alternatives of an object are listed one after the other. */
function rows(schema, path, when) {
  const alternatives = (schema.anyOf ?? schema.oneOf ?? []).filter((option) => option.properties);
  if (alternatives.length > 0)
    return alternatives.flatMap((option) =>
      rows(option, path, option.properties.kind?.const ?? option.properties.name?.const ?? when),
    );
  if (schema.properties)
    return Object.entries(schema.properties).flatMap(([key, value]) => rows(value, [...path, key], when));
  const condition = when === undefined ? "" : ` (${when})`;
  const fallback = schema.default === undefined ? "" : `\`${JSON.stringify(schema.default)}\``;
  const cell = (text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");
  return [
    `| \`${path.join(".")}\`${condition} | ${cell(allowed(schema))} | ${cell(fallback)} | ${cell(schema.description ?? "")} |`,
  ];
}

function allowed(schema) {
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map(allowed).join(" or ");
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.type === "array") return `list of ${allowed(schema.items ?? {})}`;
  const low =
    schema.exclusiveMinimum !== undefined
      ? `> ${schema.exclusiveMinimum}`
      : schema.minimum !== undefined
        ? `≥ ${schema.minimum}`
        : "";
  const high =
    schema.exclusiveMaximum !== undefined
      ? `< ${schema.exclusiveMaximum}`
      : schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER
        ? `≤ ${schema.maximum}`
        : "";
  return [schema.type ?? "any", low.includes(`${Number.MIN_SAFE_INTEGER}`) ? "" : low, high].filter(Boolean).join(" ");
}

/** The table of metric keys, which stands in the docstring of the event that carries them. */
function metricTable() {
  const text = readFileSync(join(root, "packages/lab/src/run/events.ts"), "utf8");
  const lines = [...text.matchAll(/^ \* (\|.*\|)$/gm)].map(([, row]) => row);
  if (lines.length < 10) throw new Error("reference-pages: no table of metrics in packages/lab/src/run/events.ts.");
  return lines.join("\n");
}

const generated = "<!-- Written by scripts/reference-pages.mjs from the program. -->";
const top = help();
writeFileSync(
  join(folder, "commands.md"),
  [
    generated,
    "# Commands\n",
    "Exit codes: 0 done, 1 failed, 2 bad input, 3 the run diverged.\n",
    `\`\`\`text\n${top}\n\`\`\`\n`,
    ...subcommands(top).flatMap((name) => commandSections([name], 2)),
  ].join("\n"),
);
const schema = z.toJSONSchema(trainConfigSchema, { io: "input", unrepresentable: "any" });
writeFileSync(
  join(folder, "configuration.md"),
  [
    generated,
    "# Configuration of a run\n",
    "YAML or JSON, checked before anything runs; the error names the key, what was given and what is allowed. Every key is also a flag: `data.testExamples` is `--data.test-examples`.\n",
    "| key | allowed | default | meaning |\n|---|---|---|---|",
    rows(schema, []).join("\n"),
    "",
  ].join("\n"),
);
writeFileSync(
  join(folder, "metrics.md"),
  [
    generated,
    "# Metrics and events\n",
    "A run is a sequence of events in the store: it started, these numbers were measured after so many steps, this record (a spectrum, an attribution, advice, an action of a controller) was made, it ended. The numbers:\n",
    metricTable(),
    "\n[`events.ts`](../../packages/lab/src/run/events.ts) has the events' types; `sedge serve` describes its HTTP interface at `/api/v1/openapi.json`.\n",
  ].join("\n"),
);
writeFileSync(
  join(folder, "licences.md"),
  [
    generated,
    "# Licences\n",
    "Sedge is under the MIT licence. What installing `@sedge/cli` brings along, by the lock file; binaries of other platforms included. The LGPL is that of libvips, which `sharp` loads as a library of its own.\n",
    "| licence | packages |\n|---|---|",
    ...licenceRows(),
    "",
  ].join("\n"),
);

/** A row a licence, with the packages under it that are not for development only. */
function licenceRows() {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const byLicence = new Map();
  for (const [path, { dev, link, license, version }] of Object.entries(packages)) {
    const name = path.split("node_modules/").at(-1);
    if (!path.includes("node_modules/") || dev || link) continue;
    if (license === undefined) throw new Error(`reference-pages: ${name} states no licence in package-lock.json.`);
    byLicence.set(license, [...(byLicence.get(license) ?? []), `${name} ${version}`]);
  }
  return [...byLicence]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([licence, names]) => `| ${licence} (${names.length}) | ${[...new Set(names)].sort().join(", ")} |`);
}
