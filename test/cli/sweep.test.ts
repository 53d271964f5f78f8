import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type RunSummary } from "@sedge/server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { sedge, start } from "./sedge.js";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-sweep-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const base = {
  ...{ batchSize: 1, learningRate: 0.003, steps: 25_000, model: { widths: [16] } },
  ...{ data: { examples: 64, testExamples: 16 }, probes: { count: 3, examples: 8 } },
};

/** Writes a sweep's config and gives its path. */
function config(name: string, rest: object): string {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify({ name, ...rest }));
  return path;
}

function runsIn(store: string): readonly RunSummary[] {
  const opened = openStore(join(folder, store), { readOnly: true });
  try {
    return [...opened.runs()].sort((a, b) => a.id.localeCompare(b.id));
  } finally {
    opened.close();
  }
}

/** Every metric but those of time. */
const measured = ({ latest }: RunSummary) =>
  Object.fromEntries(Object.entries(latest).filter(([key]) => !/^(speed|cost)\//.test(key)));

// The truth is the sweep that nobody disturbed: not a bit may differ.
test("a sweep whose parent is killed goes on where its runs were, and leaves finished ones alone", async () => {
  const sweep = config("killed", { base, grid: { learningRate: [0.002, 0.003], seed: [0, 1] }, vectorise: false });
  expect((await sedge("sweep", sweep, "--workers", "2", "--store", join(folder, "whole"))).code).toBe(0);

  const argv = ["sweep", sweep, "--workers", "2", "--store", join(folder, "broken")];
  const first = start(argv);
  const statuses = () => runsIn("broken").map(({ status }) => status);
  await vi.waitFor(() => expect(statuses()).toContain("finished"), { timeout: 50_000, interval: 50 });
  first.child.kill("SIGKILL");
  await first.ended;
  const before = runsIn("broken").filter(({ status }) => status === "finished");

  const second = await sedge(...argv);
  expect(second).toMatchObject({ code: 0 });
  expect(second.stderr).toContain("killed: 4 finished");
  const [whole, broken] = [runsIn("whole"), runsIn("broken")];
  expect(broken.map(measured)).toEqual(whole.map(measured));
  expect(broken.every(({ tags }) => tags.includes("sweep:killed"))).toBe(true);
  for (const { id, finishedAt } of before) expect(broken.find((run) => run.id === id)!.finishedAt).toBe(finishedAt);
});

test("a run that fails is reported and does not stop the others; when the sweep is called again it alone is tried again", async () => {
  const data = join(folder, "own");
  mkdirSync(data);
  const own = { name: "npy", path: data, examples: 8, testExamples: 2 };
  const runs = [{ seed: 1 }, { seed: 2, data: own }];
  const short = { ...base, steps: 50, data: {}, probes: { count: 2, examples: 4 } };
  const sweep = config("failing", {
    runs: runs.map((run) => ({ ...short, ...run, data: run.data ?? base.data })),
    workers: 1,
  });
  const argv = ["sweep", sweep, "--store", join(folder, "failing")];
  const first = await sedge(...argv);
  expect(first.code).toBe(1);
  expect(first.stderr).toContain("failing: 1 finished, 1 failed");
  expect(first.stderr).toContain(`${data}: expected arrays x and y, got none.`);

  writeFileSync(
    join(data, "x.npy"),
    npy(
      "<f8",
      "(10, 3)",
      Float64Array.from({ length: 30 }, (_, i) => Math.sin(i)),
    ),
  );
  writeFileSync(
    join(data, "y.npy"),
    npy(
      "<i4",
      "(10,)",
      Int32Array.from({ length: 10 }, (_, i) => i % 2),
    ),
  );
  const second = await sedge(...argv);
  expect(second.code).toBe(0);
  expect(second.stderr).toContain("failing: 2 finished");
});

test("without Slurm, --engine slurm says what is missing, and nothing is made", async () => {
  const sweep = config("nowhere", { base, grid: { seed: [0] } });
  vi.stubEnv("PATH", join(folder, "empty"));
  try {
    expect(await sedge("sweep", sweep, "--engine", "slurm", "--store", join(folder, "nowhere"))).toEqual({
      ...{ code: 2, stdout: "" },
      stderr: "sedge sweep: engine slurm: sbatch was not found; expected the commands of Slurm on the PATH.\n",
    });
  } finally {
    vi.unstubAllEnvs();
  }
  expect(existsSync(join(folder, "nowhere"))).toBe(false);
});

/** A file of NumPy's format, version 1. */
function npy(type: string, shape: string, values: Float64Array | Int32Array): Uint8Array {
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }\n`;
  const length = Buffer.from([header.length & 255, header.length >> 8]);
  return Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    length,
    Buffer.from(header),
    Buffer.from(values.buffer),
  ]);
}
