import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "@sedge/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { sedge, start } from "./sedge.js";
import { missingPrograms, startCluster, type SlurmCluster } from "./slurm-cluster.js";

const missing = missingPrograms();
if (missing.length > 0) console.warn(`Not tested: sweeps on Slurm; ${missing.join(", ")} not installed.`);

describe.skipIf(missing.length > 0)("sedge sweep --engine slurm", () => {
  let folder: string;
  let cluster: SlurmCluster;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sedge-slurm-sweep-"));
    cluster = startCluster();
    vi.stubEnv("SLURM_CONF", cluster.configFile);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    cluster?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  // The truth is the same sweep in local processes: not a bit may differ.
  test(
    "a node is lost in mid-sweep: its task goes on elsewhere, and nothing is lost",
    { timeout: 150_000 },
    async () => {
      const sweep = join(folder, "sweep.json");
      const base = {
        ...{ batchSize: 1, learningRate: 0.003, steps: 300_000, model: { widths: [16] } },
        ...{ data: { examples: 64, testExamples: 16 }, probes: { count: 3, examples: 8 } },
      };
      writeFileSync(
        sweep,
        JSON.stringify({ name: "lost", base, grid: { seed: [0, 1] }, vectorise: false, runsPerTask: 1 }),
      );
      const swept = start(["sweep", sweep, "--engine", "slurm", "--store", join(folder, "slurm")]);
      const running = () => cluster.call("squeue", "--noheader", "--states=R", "--format=%N").trim().split("\n");
      await vi.waitFor(() => expect(running().sort()).toEqual(["w1", "w2"]), { timeout: 30_000, interval: 200 });
      await vi.waitFor(() => expect(swept.stderr()).toContain("2 running"), { timeout: 30_000, interval: 200 });
      cluster.loseNode("w2");
      // Slurm notices after 20 to 25 s, and then holds the task for two minutes, which the test does not wait for.
      const held = () => cluster.call("squeue", "--noheader", "--array", "--states=PD", "--format=%i").trim();
      await vi.waitFor(() => expect(held()).not.toBe(""), { timeout: 60_000, interval: 500 });
      cluster.call("scontrol", "update", `jobid=${held()}`, "starttime=now");
      const { code, stderr } = await swept.ended;
      expect(stderr).toContain("lost: 2 finished");
      expect(code).toBe(0);

      expect((await sedge("sweep", sweep, "--store", join(folder, "local"))).code).toBe(0);
      const [there, here] = ["slurm", "local"].map((name) => {
        const store = openStore(join(folder, name), { readOnly: true });
        const runs = [...store.runs()].sort((a, b) => a.id.localeCompare(b.id));
        store.close();
        return runs.map(({ id, latest }) => [
          id,
          Object.fromEntries(Object.entries(latest).filter(([key]) => !/^(speed|cost)\//.test(key))),
        ]);
      });
      expect(there).toEqual(here);
    },
  );
});
