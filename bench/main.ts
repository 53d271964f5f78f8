/**
 * Times our side of the peers' workloads, and the peers beside it where they are installed, one process a timing, in
 * alternation, and prints (or writes) one table.
 *
 *     npm run bench                                         our side only
 *     npm run bench -- --peers DIR [--python CMD]           and the peer scripts in DIR
 *     npm run bench -- train-mlp-b1 train-mlp-b32           some workloads
 *     npm run bench -- --rounds 3 --write docs/benchmarks.md
 *     npm run bench -- --compare main~5 [WORKLOADS]         this tree beside another commit, built apart
 *
 * `--write` also keeps the timings themselves, in docs/benchmarks.json, after each workload: those run before stay in the
 * table until they are run again.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { comparison } from "./comparison.js";
import { buildAt } from "./earlier.js";
import { circumstances, readRecord, report, writeRecord, type BenchRecord } from "./record.js";
import { peerSides, sedgeSide, timeInAlternation } from "./side.js";
import { replaceTable } from "./table.js";
import type { Timing } from "./workload.js";
import { workloads } from "./workloads/index.js";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    compare: { type: "string" },
    peers: { type: "string" },
    python: { type: "string", default: "python3" },
    rounds: { type: "string" },
    write: { type: "string" },
  },
});

const names = positionals.length > 0 ? positionals : Object.keys(workloads);
const unknown = names.filter((name) => !(name in workloads));
if (unknown.length > 0) fail(`unknown workload ${unknown.join(", ")}; one of ${Object.keys(workloads).join(", ")}.`);
// A difference between two commits is smaller than one between libraries, so it takes more rounds to be seen.
const rounds = Number(options.rounds ?? (options.compare === undefined ? 2 : 4));
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds: expected a whole number above 0, got ${options.rounds}.`);
if (options.peers !== undefined && !existsSync(join(options.peers, "peer_common.py"))) {
  fail(`--peers: no peer_common.py in ${options.peers}; give the folder of the peer scripts.`);
}
if (options.compare !== undefined && (options.peers ?? options.write) !== undefined) {
  fail("--compare sets this tree beside another commit of it; leave out --peers and --write.");
}

if (options.compare === undefined) besidePeers();
else besideCommit(options.compare);

function besidePeers(): void {
  const order = Object.keys(workloads);
  const recordFile = options.write?.replace(/(\.md)?$/, ".json");
  let record: BenchRecord = {};
  // Before the table is written, which makes the tree differ from its commit.
  const where = circumstances();
  const sides = [sedgeSide(), ...(options.peers === undefined ? [] : peerSides(options.peers, options.python))];
  for (const name of names) {
    const entry = { circumstances: where, timings: timeInAlternation(sides, name, rounds) };
    record = { ...record, [name]: entry };
    if (recordFile === undefined) continue;
    const kept = { ...readRecord(recordFile), [name]: entry };
    writeRecord(recordFile, kept);
    const page = existsSync(options.write!) ? readFileSync(options.write!, "utf8") : "# Benchmarks\n";
    writeFileSync(options.write!, replaceTable(page, report(kept, order)));
  }
  console.log(report(record, order));
}

function besideCommit(reference: string): void {
  let earlier;
  try {
    earlier = buildAt(reference);
  } catch (error) {
    if (error instanceof RangeError) fail(error.message);
    throw error;
  }
  const before = sedgeSide(earlier.commit.slice(0, 12), earlier.folder);
  const after = sedgeSide("here");
  const timings: Timing[] = [];
  for (const name of names) timings.push(...timeInAlternation([before, after], name, rounds));
  console.log(comparison(timings, before.name, after.name));
}

function fail(message: string): never {
  console.error(`bench: ${message}`);
  process.exit(2);
}
