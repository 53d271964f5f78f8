/** Who is timed: our bench, that of another commit, or a peer script; each prints one JSON line of the same form. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Timing } from "./workload.js";

export interface Side {
  /** The column's heading, and the name its timings are kept under. */
  readonly name: string;
  readonly command: string;
  /** Arguments before the workload's name. */
  readonly args: readonly string[];
  /** Arguments after it. */
  readonly after?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** PyTorch is measured twice: as it comes, and with an allocator told to keep its memory, which its users learn to do. */
const keepMemory = {
  MALLOC_MMAP_THRESHOLD_: "4294967296",
  MALLOC_TRIM_THRESHOLD_: "4294967296",
  MALLOC_TOP_PAD_: "268435456",
};

/** Our own bench, as built in a folder of this form. */
export function sedgeSide(name = "sedge", folder = dirname(fileURLToPath(import.meta.url))): Side {
  return { name, command: process.execPath, args: [join(folder, "run-one.js")] };
}

/** The peer scripts in a folder, run by a Python that has what they import. */
export function peerSides(folder: string, python: string): Side[] {
  return ["numpy", "torch", "torch+malloc", "jax"].map((name) => ({
    name,
    command: python,
    args: [join(folder, `peer_${name.replace("+malloc", "")}.py`)],
    after: ["--json"],
    ...(name === "torch+malloc" ? { environment: keepMemory } : {}),
  }));
}

/** One side's timing of a workload in a process of its own; undefined, with the reason on standard error, where it has none. */
export function timeSide({ name, command, args, after = [], environment }: Side, workload: string): Timing | undefined {
  const inherited = { ...process.env };
  // Both variables halve OpenBLAS where they are set; no side may lean on them.
  delete inherited["OPENBLAS_CORETYPE"];
  delete inherited["OPENBLAS_L2_SIZE"];
  const { status, stdout, stderr, error } = spawnSync(command, [...args, workload, ...after], {
    env: { ...inherited, ...environment },
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const line = stdout?.trim().split("\n").at(-1) ?? "";
  if (status !== 0 || !line.startsWith("{")) {
    const reason = error?.message ?? (stderr.trim().split("\n").at(-1) || `exit code ${status}`);
    console.error(`${name} ${workload}: ${reason}`);
    return undefined;
  }
  const timing = JSON.parse(line) as Timing & { readonly skipped?: string };
  return timing.skipped === undefined ? { ...timing, peer: name } : undefined;
}

/** All sides in alternation: each round starts with another one, so that none always runs on the warmer machine. */
export function timeInAlternation(sides: readonly Side[], workload: string, rounds: number): Timing[] {
  const timings: Timing[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < sides.length; i++) {
      const timing = timeSide(sides[(i + round) % sides.length]!, workload);
      if (timing) timings.push(timing);
    }
    console.error(`${workload}: round ${round + 1} of ${rounds} done`);
  }
  return timings;
}
