/**
 * Times our side of the peers' workloads, and the peers beside it where they are installed, one process a timing, in
 * alternation, and prints (or writes) one table.
 *
 *     npm run bench                                         our side only
 *     npm run bench -- --peers DIR [--python CMD]           and the peer scripts in DIR
 *     npm run bench -- train-mlp-b1 train-mlp-b32           some workloads
 *     npm run bench -- --rounds 3 --write docs/benchmarks.md
 *
 * `--write` also keeps the timings themselves, in docs/benchmarks.json, after each workload: those run before stay in the
 * table until they are run again.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { circumstances, readRecord, report, writeRecord, type BenchRecord } from "./record.js";
import { replaceTable } from "./table.js";
import type { Timing } from "./workload.js";
import { workloads } from "./workloads/index.js";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: "string" },
    python: { type: "string", default: "python3" },
    rounds: { type: "string", default: "2" },
    write: { type: "string" },
  },
});

const names = positionals.length > 0 ? positionals : Object.keys(workloads);
const unknown = names.filter((name) => !(name in workloads));
if (unknown.length > 0) fail(`unknown workload ${unknown.join(", ")}; one of ${Object.keys(workloads).join(", ")}.`);
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds: expected a whole number above 0, got ${options.rounds}.`);
if (options.peers !== undefined && !existsSync(join(options.peers, "peer_common.py"))) {
  fail(`--peers: no peer_common.py in ${options.peers}; give the folder of the peer scripts.`);
}

// Both variables halve OpenBLAS where they are set; neither side may lean on them.
const environment = { ...process.env };
delete environment["OPENBLAS_CORETYPE"];
delete environment["OPENBLAS_L2_SIZE"];

/** PyTorch is measured twice: as it comes, and with an allocator told to keep its memory, which its users learn to do. */
const keepMemory = {
  MALLOC_MMAP_THRESHOLD_: "4294967296",
  MALLOC_TRIM_THRESHOLD_: "4294967296",
  MALLOC_TOP_PAD_: "268435456",
};

const order = Object.keys(workloads);
const recordFile = options.write?.replace(/(\.md)?$/, ".json");
let record: BenchRecord = {};
// Before the table is written, which makes the tree differ from its commit.
const where = circumstances();
for (const name of names) {
  const timings: Timing[] = [];
  for (let round = 0; round < rounds; round++) {
    const sides = ["sedge", ...(options.peers === undefined ? [] : ["numpy", "torch", "torch+malloc", "jax"])];
    // Each round starts with another side, so that none always runs on the warmer machine.
    for (let i = 0; i < sides.length; i++) {
      const timing = time(sides[(i + round) % sides.length]!, name);
      if (timing) timings.push(timing);
    }
    console.error(`${name}: round ${round + 1} of ${rounds} done`);
  }
  const entry = { circumstances: where, timings };
  record = { ...record, [name]: entry };
  if (recordFile !== undefined) {
    const kept = { ...readRecord(recordFile), [name]: entry };
    writeRecord(recordFile, kept);
    const page = existsSync(options.write!) ? readFileSync(options.write!, "utf8") : "# Benchmarks\n";
    writeFileSync(options.write!, replaceTable(page, report(kept, order)));
  }
}
console.log(report(record, order));

function time(side: string, workload: string): Timing | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  const [command, args, extra] =
    side === "sedge"
      ? [process.execPath, [join(here, "run-one.js"), workload], {}]
      : [
          options.python,
          [join(options.peers!, `peer_${side.replace("+malloc", "")}.py`), workload, "--json"],
          side === "torch+malloc" ? keepMemory : {},
        ];
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: { ...environment, ...extra },
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (status !== 0 || !line.startsWith("{")) {
    console.error(`${side} ${workload}: ${stderr.trim().split("\n").at(-1) ?? `exit code ${status}`}`);
    return undefined;
  }
  const timing = JSON.parse(line) as Timing & { skipped?: string };
  return timing.skipped === undefined ? { ...timing, peer: side } : undefined;
}

function fail(message: string): never {
  console.error(`bench: ${message}`);
  process.exit(2);
}
