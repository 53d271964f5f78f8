/**
 * What `npm start`, `npm test`, `npm run bench`, `npm run fuzz` and `npm run docs` do first on a fresh clone: install, build, then the job itself.
 * Plain JavaScript with no imports beyond Node, because nothing is installed yet when it runs.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [job, ...rest] = process.argv.slice(2);
const node = process.execPath;

/** Each job: the command lines it runs once the workspace is installed and built. */
const jobs = {
  start: [[node, "packages/cli/dist/main.js", "demo", ...rest]],
  test: [[node, "node_modules/vitest/vitest.mjs", "run", ...rest]],
  bench: [[node, "bench/dist/main.js", ...rest]],
  fuzz: [[node, "node_modules/vitest/vitest.mjs", "run", "test/fuzz", ...rest]],
  docs: [
    [node, "scripts/reference-pages.mjs"],
    [node, "node_modules/vitepress/bin/vitepress.js", "build", "docs"],
    [node, "node_modules/typedoc/bin/typedoc", "--options", "docs/typedoc.json"],
  ],
};

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Sedge needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(2);
}
if (!(job in jobs)) {
  console.error(`bootstrap: unknown job "${job}"; one of ${Object.keys(jobs).join(", ")}.`);
  process.exit(2);
}

// Damaged inputs for each reader; `npm test` tries a hundred.
if (job === "fuzz") process.env.SEDGE_FUZZ_CASES ??= "100000";
if (!installed())
  run("Installing", ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], process.platform === "win32");
run("Building", ["npm", "run", "--loglevel=error", "build"], process.platform === "win32");
for (const command of jobs[job]) run("", command, false);

/** Whether node_modules is what package-lock.json asks for: npm writes the tree it installed beside it. */
function installed() {
  const lock = join(root, "package-lock.json");
  const tree = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(tree)) return false;
  if (statSync(tree).mtimeMs >= statSync(lock).mtimeMs) return true;
  const wanted = JSON.parse(readFileSync(lock, "utf8")).packages;
  const present = JSON.parse(readFileSync(tree, "utf8")).packages;
  // A package for another platform is optional and absent from the installed tree.
  return Object.entries(wanted).every(
    ([path, { version, link, optional }]) =>
      path === "" || link || optional || !path.startsWith("node_modules") || present[path]?.version === version,
  );
}

function run(title, [command, ...args], shell) {
  if (title) console.error(`${title} …`);
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", shell });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? (signal ? 130 : 1));
}
