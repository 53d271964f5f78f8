import { rmSync } from "node:fs";
import { BadInput, checkpointPath } from "@sedge/lab";
import { compareRuns, exportFormats, exportRun, type ExportFormat, type RunSummary } from "@sedge/server";
import { Option, type Command } from "commander";
import { exitCodes } from "../exit-codes.js";
import type { Io } from "../io.js";
import {
  formatCount,
  formatDuration,
  formatNumber,
  formatRatio,
  formatTime,
  formatWithError,
} from "../output/format.js";
import { verdictText } from "../output/run-table.js";
import { pairs, table } from "../output/table.js";
import type { Finish } from "../program.js";
import { addStoreOption, withStore } from "../store-option.js";
import { toJson } from "../output/json.js";
import { writeOutput } from "../output/output-folder.js";

interface RunsOptions {
  readonly store: string;
  readonly json?: boolean;
}

interface ExportOptions {
  readonly store: string;
  readonly format: ExportFormat;
  readonly out?: string;
  readonly keys?: string;
}

/** `sedge runs list|show|export|compare|tag|check|delete`: what is in the store, on paper. */
export function defineRuns(command: Command, io: Io, finish: Finish): void {
  const list = command.command("list").description("Every run, newest first.");
  addStoreOption(list)
    .option("--json", "print JSON")
    .action(({ store: folder, json }: RunsOptions) =>
      withStore(folder, { readOnly: true }, (store) => {
        const runs = store.runs();
        if (json) io.print(toJson(runs));
        else if (runs.length === 0) io.note(`No runs in ${store.folder}. sedge demo makes three.`);
        else io.print(runTable(runs, io));
      }),
    );

  const show = command.command("show").description("One run: its config, where it stands, its last measurements.");
  show.argument("<run>", "an id, the beginning of one, or a name");
  addStoreOption(show)
    .option("--json", "print JSON, with every measurement")
    .action((given: string, { store: folder, json }: RunsOptions) =>
      withStore(folder, { readOnly: true }, (store) => {
        const run = store.run(given);
        io.print(json ? toJson({ ...run, series: store.metrics(run.id).series }) : runPage(run, io));
      }),
    );

  const exported = command.command("export").description("What a run measured, for other programs.");
  exported.argument("<run>", "an id, the beginning of one, or a name");
  addStoreOption(exported)
    .addOption(new Option("--format <name>", "what to write").choices(exportFormats).default("csv"))
    .option("--out <file>", "where to (default: standard output)")
    .option("--keys <a,b,…>", "only these metrics")
    .action((given: string, { store: folder, format, out, keys }: ExportOptions) =>
      withStore(folder, { readOnly: true }, (store) => {
        const bytes = exportRun(store, given, format, keys === undefined ? {} : { keys: keys.split(",") });
        if (out !== undefined) {
          writeOutput(out, bytes);
          io.note(`Wrote ${out}.`);
        } else if (format === "parquet") throw new BadInput("--out: expected a file to write Parquet to, got nothing.");
        else io.print(new TextDecoder().decode(bytes).trimEnd());
      }),
    );

  const compare = command.command("compare").description("What distinguishes runs, and where each metric ended.");
  compare.argument("<runs...>", "two or more, each an id, the beginning of one, or a name");
  addStoreOption(compare)
    .option("--json", "print JSON")
    .action((given: string[], { store: folder, json }: RunsOptions) =>
      withStore(folder, { readOnly: true }, (store) => {
        if (given.length < 2) throw new BadInput(`compare: expected two runs or more, got ${given.length}.`);
        const runs = given.map((one) => store.run(one));
        io.print(json ? toJson(compareRuns(runs)) : comparison(runs, io));
      }),
    );

  const tag = command
    .command("tag")
    .description("Give a run tags, in place of those it has; none at all removes them.");
  tag.argument("<run>", "an id, the beginning of one, or a name").argument("[tags...]", "words");
  addStoreOption(tag).action((given: string, tags: string[], { store: folder }: RunsOptions) =>
    withStore(folder, { readOnly: false }, (store) => {
      const set = store.setTags(given, tags);
      io.print(`Run ${store.run(given).id}: ${set.length === 0 ? "no tags" : set.join(", ")}.`);
    }),
  );

  const check = command.command("check").description("Read the whole store and report what does not fit together.");
  addStoreOption(check).action(({ store: folder }: RunsOptions) =>
    withStore(folder, { readOnly: true }, (store) => {
      const { sound, problems, runs, events, points } = store.checkIntegrity();
      for (const problem of problems) io.print(problem);
      const size = `${formatCount(runs)} runs, ${formatCount(events)} events, ${formatCount(points)} points`;
      io.print(sound ? `Sound: ${size}.` : `Damaged: ${problems.length} problems in ${size}.`);
      if (!sound) finish(exitCodes.failed);
    }),
  );

  const remove = command.command("delete").description("Remove a run and all it recorded. There is no way back.");
  remove.argument("<run>", "an id, the beginning of one, or a name");
  addStoreOption(remove).action((given: string, { store: folder }: RunsOptions) =>
    withStore(folder, { readOnly: false }, (store) => {
      const { name } = store.run(given);
      const id = store.deleteRun(given);
      rmSync(checkpointPath(folder, id), { force: true });
      io.print(`Deleted run ${id} (${name}).`);
    }),
  );

  command.addHelpText("after", helpText);
}

function runTable(runs: readonly RunSummary[], { colours }: Io): string {
  const rows = runs.map((run) => [
    run.id,
    run.name,
    formatTime(run.startedAt),
    colourStatus(run, colours),
    `${formatCount(run.step)}/${formatCount(run.steps)}`,
    formatNumber(run.latest["loss/train"]),
    formatWithError(run.latest["noiseKernel/exact"], run.latest["noiseKernel/exact/standardError"]),
    formatRatio(run.latest["edge/deterministic"]),
  ]);
  return table(
    [
      { title: "id" },
      { title: "name" },
      { title: "started" },
      { title: "status" },
      { title: "step", align: "right" },
      { title: "loss", align: "right" },
      { title: "K exact", align: "right" },
      { title: "λ_max·η/2", align: "right" },
    ],
    rows,
    colours,
  );
}

/** Settings that differ and metrics, a column a run. */
function comparison(runs: readonly RunSummary[], { colours }: Io): string {
  const { config, metrics } = compareRuns(runs);
  const text = (value: unknown) =>
    typeof value === "number"
      ? formatNumber(value, 4)
      : value === undefined || value === null
        ? "—"
        : JSON.stringify(value);
  const columns = [{ title: "" }, ...runs.map(({ name }) => ({ title: name, align: "right" as const }))];
  const settings = config.map(({ path, values }) => [path, ...values.map(text)]);
  const measured = [...metrics]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, values }) => [key, ...values.map(text)]);
  return table(columns, [...settings, ...measured], colours);
}

function runPage(run: RunSummary, { colours }: Io): string {
  const seconds = ((run.finishedAt ?? Date.now()) - run.startedAt) / 1000;
  const head = pairs(
    [
      ["run", `${colours.bold(run.id)}  ${run.name}`],
      ["model", `${run.model.description} (${formatCount(run.model.paramCount)} parameters)`],
      [
        "started",
        `${formatTime(run.startedAt)}, ${run.status === "running" ? "running for" : "took"} ${formatDuration(seconds)}`,
      ],
      ["status", `${colourStatus(run, colours)}, step ${formatCount(run.step)} of ${formatCount(run.steps)}`],
      ["verdict", verdictText(run, colours)],
      ...(run.message === null ? [] : [["message", run.message] as const]),
    ],
    colours,
  );
  const config = pairs(flatten(run.config), colours);
  const metrics = pairs(
    Object.entries(run.latest)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, formatNumber(value, 5)] as const),
    colours,
  );
  const section = (title: string, body: string) => `\n${colours.bold(title)}\n${body.replace(/^/gm, "  ")}`;
  const measured = Object.keys(run.latest).length > 0 ? section("last measurements", metrics) : "";
  return `${head}\n${section("config", config)}${measured === "" ? "" : `\n${measured}`}`;
}

function colourStatus({ status }: RunSummary, colours: Io["colours"]): string {
  const paint = {
    running: colours.cyan,
    finished: colours.green,
    diverged: colours.red,
    failed: colours.red,
    interrupted: colours.yellow,
  }[status];
  return paint(status);
}

/** Nested keys as the flags of `sedge train` write them, with dots. */
function flatten(config: Readonly<Record<string, unknown>>, prefix = ""): [string, string][] {
  return Object.entries(config).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    const nested = typeof value === "object" && value !== null && !Array.isArray(value);
    if (nested) return flatten(value as Record<string, unknown>, `${path}.`);
    return [[path, Array.isArray(value) ? value.join(", ") : String(value)] as [string, string]];
  });
}

const helpText = `
Examples:
  sedge runs list
  sedge runs show 2q8v
  sedge runs show "η = 0.01" --json | jq .latest
  sedge runs export 2q8v --format parquet --out run.parquet
  sedge runs compare "η = 0.01" "η = 0.03"
  sedge runs tag 2q8v baseline
  sedge runs delete 2q8v0k3mx7ta`;
