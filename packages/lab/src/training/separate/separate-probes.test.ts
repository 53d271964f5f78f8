import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { parseTrainConfig, type TrainConfigInput } from "../../config/train-config.js";
import { BadInput } from "../../errors.js";
import { mlp } from "../../models/mlp.js";
import { lossProbe } from "../../probes/loss.js";
import { normalsDataset } from "../../probes/testing.js";
import type { RunEvent } from "../../run/events.js";
import { memorySink } from "../../run/sinks.js";
import { train } from "../train.js";
import { startSeparateProbes } from "./separate-probes.js";

// The program is the built one: `npx tsc -b packages/lab` comes before this test.

const dataset = normalsDataset({ seed: "separate", inputs: 5, outputs: 2, train: 16, test: 8 });
const model = mlp({ inputs: 5, widths: [6], outputs: 2 });
const base: TrainConfigInput = {
  data: { examples: 16 },
  learningRate: 0.05,
  batchSize: 2,
  steps: 300,
  probes: { count: 6, examples: 8, process: "separate" },
};
const run = (config: TrainConfigInput = base, options: Parameters<typeof train>[1] = {}) =>
  train(config, { dataset, model, ...options });

/** What was measured, by step, but for times. */
function measured(events: readonly RunEvent[]): Map<number, Record<string, number>> {
  const records = new Map<number, Record<string, number>>();
  for (const event of events) {
    if (event.type !== "metrics" || event.values["loss/train"] === undefined) continue;
    const kept = Object.entries(event.values).filter(
      ([key]) => !/^(cost\/|speed\/|loss\/batch|learningRate|batchSize)/.test(key),
    );
    records.set(event.step, Object.fromEntries(kept));
  }
  return records;
}

describe("probes in a second process", () => {
  test("leave training bit-identical, and measure what they would have measured in the same, at the same steps", async () => {
    const [there, here] = [memorySink(), memorySink()];
    const separate = await run(base, { sinks: [there] });
    const same = await run({ ...base, probes: { ...base.probes, process: "same" } }, { sinks: [here] });
    const alone = await run({ ...base, probes: { ...base.probes, process: "same" } }, { probes: [] });
    expect(separate.params).toEqual(alone.params); // no tolerance: nothing may differ
    expect(separate.params).toEqual(same.params);
    expect(separate.warnings).toEqual([]);
    expect([...measured(there.events).keys()]).toEqual([...measured(here.events).keys()]);
    expect(measured(there.events)).toEqual(measured(here.events));
    expect(separate.latest["sharpness"]).toBe(same.latest["sharpness"]);
    expect(there.events.at(-1)).toMatchObject({ type: "run-finished", status: "finished" });
  });

  test("cost training no more than copies of the weights", async () => {
    const { latest, seconds } = await run();
    expect(seconds.probes).toBeLessThan(0.5 * (latest["cost/sharpness"]! + latest["cost/noiseKernel"]!));
  });

  test("may die: the run says so and trains on, to the same weights", async () => {
    const alone = await run({ ...base, probes: { ...base.probes, process: "same" } }, { probes: [] });
    let killed = false;
    const result = await run(base, {
      onProgress: () => {
        if (killed) return;
        const { stdout } = spawnSync("pgrep", ["-P", String(process.pid), "-f", "probe-process"], { encoding: "utf8" });
        for (const pid of stdout.split("\n").filter(Boolean)) process.kill(Number(pid), "SIGKILL");
        killed = true;
      },
    });
    expect(result.status).toBe("finished");
    expect(result.params).toEqual(alone.params);
    expect(result.warnings).toHaveLength(1);
    expect(result.warnings[0]).toMatch(/the process of the probes was killed by SIGKILL.*training goes on/);
  });

  test("that cannot be opened end with the reason, and everything offered counts as settled", async () => {
    const config = parseTrainConfig({ ...base, data: { name: "mnist", path: "/nowhere/at/all" } });
    const probes = startSeparateProbes({ config, names: ["loss"], dataset: undefined, model: undefined });
    probes.offer({ step: 0, params: {}, carried: {}, learningRate: 0.1, batchSize: 2 });
    expect(probes.idle).toBe(false);
    await probes.settled();
    const [arrival] = probes.arrivals();
    expect(arrival!.warnings[0]).toMatch(/the process of the probes failed: .*nowhere/);
    expect(probes.names).toEqual([]);
    await probes.close();
  });

  test("are stopped with an aborted run, whatever they are doing", async () => {
    const controller = new AbortController();
    const { status } = await run(
      { ...base, steps: 200_000 },
      { signal: controller.signal, onProgress: ({ step }) => step > 100 && controller.abort() },
    );
    expect(status).toBe("interrupted");
  });

  test("can only be those that a config names", async () => {
    await expect(run(base, { probes: [lossProbe()] })).rejects.toThrow(BadInput);
  });
});
