import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type RunSummary } from "@sedge/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { sedge, start, tiny, type Started } from "./sedge.js";

let folder: string;
let stores = 0;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-training-"))));
afterAll(() => rmSync(folder, { recursive: true }));
const newStore = () => join(folder, `store-${stores++}`);

function runsOf(store: string): RunSummary[] {
  const opened = openStore(store, { readOnly: true });
  try {
    return opened.runs();
  } finally {
    opened.close();
  }
}

/** Waits until a run in the store has made steps, and gives its id. */
async function underWay({ stderr }: Started, store: string): Promise<string> {
  await vi.waitFor(() => expect(stderr()).toContain("started"), { timeout: 50_000, interval: 100 });
  return vi.waitFor(
    () => {
      const [run] = runsOf(store);
      expect(run!.step).toBeGreaterThan(0);
      return run!.id;
    },
    { timeout: 50_000, interval: 100 },
  );
}

/** Long enough to be interrupted on any machine. */
const endless = ["train", ...tiny, "--steps", "100000000"];

describe("sedge train", () => {
  test("trains, stores, prints a table and ends with 0", async () => {
    const store = newStore();
    const { code, stdout, stderr } = await sedge(
      "train",
      ...tiny,
      "--steps",
      "200",
      "--name",
      "first",
      "--store",
      store,
    );
    expect(stderr).toContain("first: finished at step 200");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^run +final loss +λ_max·η\/2 +K exact +K diagonal +K trace +verdict\nfirst +0\.\d+/);
    const [run] = runsOf(store);
    expect(run).toMatchObject({ name: "first", status: "finished", step: 200 });
    expect(run!.latest).toMatchObject({ "noiseKernel/exact": expect.any(Number) as number });
  });

  test("a run that diverges ends with 3, and what it measured is kept", async () => {
    const store = newStore();
    // Far past the deterministic edge: η λ_max/2 is some hundred.
    const argv = ["train", ...tiny, "--steps", "500", "--learning-rate", "50", "--model.activation", "relu"];
    const { code, stdout } = await sedge(...argv, "--store", store);
    expect(code).toBe(3);
    expect(stdout).toMatch(/diverged at step \d+/);
    const [run] = runsOf(store);
    expect(run!.status).toBe("diverged");
    expect(run!.latest["edge/deterministic"]).toBeGreaterThan(1);
  });
});

describe("a run that is cut short", () => {
  test("by kill -9 of the training process is reported, and the store knows it as interrupted", async () => {
    const store = newStore();
    const running = start([...endless, "--store", store]);
    const id = await underWay(running, store);
    const [trainer] = childrenOf(running.child.pid!);
    process.kill(trainer!, "SIGKILL");
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/the training process was killed by SIGKILL/);
    expect(runsOf(store)).toMatchObject([
      { id, status: "interrupted", latest: { "loss/train": expect.any(Number) as number } },
    ]);
  });

  test("by kill -9 of the command itself, training stops too", async () => {
    const store = newStore();
    const running = start([...endless, "--store", store]);
    await underWay(running, store);
    const [trainer] = childrenOf(running.child.pid!);
    running.child.kill("SIGKILL");
    await running.ended;
    await vi.waitFor(() => expect(() => process.kill(trainer!, 0)).toThrow("ESRCH"), {
      timeout: 30_000,
      interval: 100,
    });
    expect(runsOf(store)).toMatchObject([{ status: "interrupted" }]);
  });
});

describe("sedge demo", () => {
  test("without a terminal trains three runs, prints the table and ends by itself with 0", async () => {
    const store = newStore();
    const { code, stdout, stderr } = await sedge("demo", "--steps", "20", "--port", "0", "--store", store);
    expect(stderr).toMatch(/Live dashboard: http:\/\/127\.0\.0\.1:\d+/);
    expect(code).toBe(0);
    const rows = stdout.trimEnd().split("\n");
    expect(rows).toHaveLength(4);
    expect(rows.slice(1).map((row) => row.slice(0, 9).trim())).toEqual(["η = 0.003", "η = 0.01", "η = 0.03"]);
    for (const row of rows.slice(1)) expect(row).toMatch(/ (well )?inside| edge|diverged/);
    expect(runsOf(store).map(({ status }) => status)).toEqual(["finished", "finished", "finished"]);
  }, 180_000);
});

/** Processes started by a process. */
function childrenOf(pid: number): number[] {
  const listed = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return listed
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child!);
}
