import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import type { TrainConfigInput } from "../config/train-config.js";
import type { Dataset, Split } from "../data/dataset.js";
import { BadInput } from "../errors.js";
import { mlp } from "../models/mlp.js";
import { lossProbe } from "../probes/loss.js";
import { noiseKernelProbe } from "../probes/noise-kernel.js";
import type { Probe } from "../probes/probe.js";
import { sharpnessProbe } from "../probes/sharpness.js";
import type { MetricsRecorded, RunEvent } from "../run/events.js";
import { memorySink, type Sink } from "../run/sinks.js";
import { train, type TrainOptions } from "./train.js";

const dataset: Dataset = {
  name: "teacher",
  description: "tanh teacher with noise",
  inputShape: [6],
  outputs: 3,
  train: teacherSplit(24, "train"),
  test: teacherSplit(12, "test"),
};
const model = mlp({ inputs: 6, widths: [7], outputs: 3 });
const base: TrainConfigInput = {
  data: { examples: 24 },
  learningRate: 0.05,
  batchSize: 2,
  steps: 150,
  probes: { count: 5, examples: 8 },
};

const run = (config: Partial<TrainConfigInput> = {}, options: TrainOptions = {}) =>
  train({ ...base, ...config }, { dataset, model, ...options });

/** What was recorded, but for times, which no seed fixes. */
function recorded(events: readonly RunEvent[]): [number, Record<string, number>][] {
  return events
    .filter((event): event is MetricsRecorded => event.type === "metrics")
    .map(({ step, values }) => [
      step,
      Object.fromEntries(Object.entries(values).filter(([key]) => !/^(cost|speed)\//.test(key))),
    ]);
}

describe("a run", () => {
  test("is told as events: start, measurements in order, end", async () => {
    const sink = memorySink();
    const result = await run({ name: "tiny" }, { runId: "r1", sinks: [sink] });
    const [first, ...rest] = sink.events;
    expect(first).toMatchObject({
      type: "run-started",
      runId: "r1",
      name: "tiny",
      steps: 150,
      model: { paramCount: 73 },
    });
    expect(rest.at(-1)).toMatchObject({ type: "run-finished", runId: "r1", step: 150, status: "finished" });
    const steps = recorded(sink.events).map(([step]) => step);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(result).toMatchObject({ runId: "r1", status: "finished", step: 150, paramsStep: 150, warnings: [] });
  });

  test("measures everything that the event table lists, at the first and the last step too", async () => {
    const sink = memorySink();
    const result = await run({}, { sinks: [sink] });
    const keys = [
      "loss/train",
      "loss/test",
      "accuracy/train",
      "accuracy/test",
      "sharpness",
      "sharpness/ritzResidual",
      "edge/deterministic",
      "noiseKernel/exact",
      "noiseKernel/exact/standardError",
      "noiseKernel/exact/halfProbe",
      "noiseKernel/diagonal",
      "noiseKernel/highDim",
      "noiseKernel/trace",
    ];
    const full = recorded(sink.events).filter(([, values]) => "sharpness" in values);
    expect(full.map(([step]) => step)).toEqual([0, 1, 9, 75, 150]);
    for (const [, values] of full) for (const key of keys) expect(values[key], key).toBeGreaterThanOrEqual(0);
    for (const key of [...keys, "loss/batch", "learningRate", "batchSize", "speed/stepsPerSecond", "cost/probes"]) {
      expect(result.latest[key], key).toBeTypeOf("number");
    }
    for (const key of ["cost/loss", "cost/sharpness", "cost/noiseKernel"])
      expect(result.latest[key]).toBeGreaterThan(0);
    expect(result.latest["edge/deterministic"]).toBe((0.05 * result.latest["sharpness"]!) / 2);
    const { exact, diagonal, highDim } = pick(result.latest);
    expect(exact).toBeGreaterThanOrEqual(diagonal);
    expect(diagonal).toBeGreaterThanOrEqual(highDim);
  });

  test("learns: the teacher's noise is 0.1, and the loss falls towards ½·3·0.1² from far above", async () => {
    const sink = memorySink();
    await run({ steps: 3000, batchSize: 8 }, { sinks: [sink] });
    const losses = recorded(sink.events).flatMap(([, values]) => values["loss/train"] ?? []);
    expect(losses[0]!).toBeGreaterThan(0.3);
    expect(losses.at(-1)!).toBeLessThan(0.05);
  });

  test("counts momentum and weight decay in its distance from the deterministic edge", async () => {
    const { latest } = await run({ momentum: 0.5, weightDecay: 0.1 }, { probes: [sharpnessProbe()] });
    expect(latest["edge/deterministic"]).toBe((0.05 * (latest["sharpness"]! + 0.1)) / (2 * 1.5));
  });

  test("with a budget measures at the first and the last step, and trains as without", async () => {
    const sink = memorySink();
    const watched = await run({ probes: { budget: 0.01, examples: 8 } }, { sinks: [sink] });
    const full = recorded(sink.events).filter(([, values]) => "sharpness" in values);
    // The whole run takes less time than the least on which a plan is based, so nothing in between is due.
    expect(full.map(([step]) => step)).toEqual([0, 150]);
    expect(watched.params).toEqual((await run({}, { probes: [] })).params);
  });

  test("is the same to the last bit when repeated, and another for another seed", async () => {
    const sinks = [memorySink(), memorySink(), memorySink()] as const;
    const [a, b, c] = [
      await run({ seed: 3 }, { sinks: [sinks[0]] }),
      await run({ seed: 3 }, { sinks: [sinks[1]] }),
      await run({ seed: 4 }, { sinks: [sinks[2]] }),
    ];
    expect(b.params).toEqual(a.params);
    expect(recorded(sinks[1].events)).toEqual(recorded(sinks[0].events));
    expect(c.params).not.toEqual(a.params);
  });
});

describe("probes", () => {
  const all: Probe[] = [lossProbe(), sharpnessProbe(), noiseKernelProbe({ examples: 8 })];
  const vandal: Probe = {
    name: "vandal",
    open: async ({ random }) => ({
      async observe({ params }) {
        for (const values of Object.values(params)) values.fill(random.uniform());
        return { vandalised: 1 };
      },
      close: async () => {},
    }),
  };

  test.each([...all, vandal])("$name leaves training bit-identical", async (probe) => {
    const watched = await run({}, { probes: [probe] });
    const alone = await run({}, { probes: [] });
    expect(watched.params).toEqual(alone.params); // no tolerance: nothing may differ
    expect(watched.latest["loss/batch"]).toBe(alone.latest["loss/batch"]);
  });

  test("none changes what another measures", async () => {
    const together = await run({}, { probes: all });
    for (const probe of all) {
      const { latest } = await run({}, { probes: [probe] });
      for (const [key, value] of Object.entries(latest)) {
        if (!/^(cost|speed)\//.test(key) && key !== "loss/batch") expect(together.latest[key], key).toBe(value);
      }
    }
  });

  test("one that fails is switched off, is named in the result, and harms nothing", async () => {
    let asked = 0;
    const broken: Probe = {
      name: "broken",
      open: async () => ({
        observe: async () => {
          asked++;
          throw new Error("lens cap on");
        },
        close: async () => {},
      }),
    };
    const sink = memorySink();
    const result = await run({}, { probes: [broken, lossProbe()], sinks: [sink] });
    expect(asked).toBe(1);
    expect(result.status).toBe("finished");
    expect(result.warnings).toEqual(['probe "broken" failed at step 0 and was switched off: lens cap on']);
    expect(result.latest["loss/train"]).toBeGreaterThan(0);
    expect(sink.events.at(-1)).toMatchObject({ message: expect.stringContaining("lens cap on") as string });
  });

  test("two of one name are refused", async () => {
    await expect(run({}, { probes: [lossProbe(), lossProbe()] })).rejects.toThrow('two probes are called "loss"');
  });
});

describe("an end other than the last step", () => {
  test("divergence is a result: status, step, last good weights, everything measured so far", async () => {
    const sink = memorySink();
    const result = await run({ learningRate: 30 }, { sinks: [sink] });
    expect(result.status).toBe("diverged");
    expect(result.step).toBeGreaterThan(0);
    expect(result.step).toBeLessThan(150);
    expect(result.paramsStep).toBe(result.step - 1);
    for (const values of Object.values(result.params)) expect(values.every(Number.isFinite)).toBe(true);
    expect(result.verdict).toMatchObject({ state: "diverged", binding: "deterministic" });
    expect(result.verdict.text).toMatch(new RegExp(`^diverged at step ${result.step}; last measured: K = ∞`));
    expect(sink.events.at(-1)).toMatchObject({ type: "run-finished", status: "diverged", step: result.step });
    const metrics = recorded(sink.events);
    expect(metrics[0]![1]["edge/deterministic"]).toBeGreaterThan(1);
    expect(metrics.at(-1)![0]).toBe(result.step);
    expect(Math.abs(metrics.at(-1)![1]["loss/batch"]!)).not.toBeLessThan(1e25);
  });

  test("weights that turn non-finite in the very last update are noticed, with probes and without", async () => {
    for (const probes of [[], [lossProbe()]]) {
      const overflow = await run({ learningRate: 3e38, steps: 1 }, { probes });
      expect([overflow.status, overflow.step, overflow.paramsStep]).toEqual(["diverged", 1, 0]);
    }
  });

  test("a training loss beyond the limit at the very last step is noticed by the loss probe", async () => {
    const { step } = await run({ learningRate: 30 });
    const result = await run({ learningRate: 30, steps: step }, { probes: [lossProbe(), sharpnessProbe()] });
    expect([result.status, result.step, result.paramsStep]).toEqual(["diverged", step, step - 1]);
    expect(result.latest["loss/train"]).toBeGreaterThan(1e30);
  });

  test("an abort ends the run as interrupted, soon, and keeps what there is", async () => {
    const controller = new AbortController();
    const sink = memorySink();
    let abortedAt = NaN;
    const result = await run(
      { steps: 1e8 },
      {
        sinks: [sink],
        signal: controller.signal,
        onProgress({ step }) {
          if (step < 200 || controller.signal.aborted) return;
          controller.abort();
          abortedAt = performance.now();
        },
      },
    );
    expect(performance.now() - abortedAt).toBeLessThan(1000); // 100 ms is what it aims at; a busy machine may take longer
    expect(result.status).toBe("interrupted");
    expect(result.paramsStep).toBe(result.step);
    expect(sink.events.at(-1)).toMatchObject({ status: "interrupted", step: result.step });
  });

  test("an error of a sink ends the run as failed, tells the other sinks and reaches the caller", async () => {
    const sink = memorySink();
    let closed = 0;
    const full: Sink = {
      write(event) {
        if (event.type === "metrics" && event.step > 0) throw new Error("disk full");
      },
      close: () => void closed++,
    };
    await expect(run({}, { sinks: [sink, full] })).rejects.toThrow("disk full");
    expect(sink.events.at(-1)).toMatchObject({ type: "run-finished", status: "failed", message: "disk full" });
    expect(closed).toBe(1);
  });
});

describe("bad input is refused before anything is written", () => {
  test.each<[Partial<TrainConfigInput>, TrainOptions, RegExp]>([
    [{ learningRate: -1 }, {}, /learningRate: expected a number above 0, got -1/],
    [{ data: { examples: 1000 }, batchSize: 25 }, {}, /batchSize: expected at most the 24 training examples, got 25/],
    [{ data: { examples: 1000 }, probes: { examples: 25 } }, {}, /probes.examples: expected at most the 24/],
    [{}, { model: mlp({ inputs: 5, widths: [], outputs: 3 }) }, /model: expects 5 inputs and 3 outputs; teacher has 6/],
  ])("%o", async (config, options, message) => {
    const sink = memorySink();
    const attempt = run(config, { ...options, sinks: [sink] });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toBeInstanceOf(BadInput);
    expect(sink.events).toEqual([]);
  });
});

function teacherSplit(examples: number, name: string): Split {
  const random = createRandom("teacher");
  const weights = random.normals(18);
  const draws = random.fork(name);
  const inputs = Float32Array.from(draws.normals(examples * 6));
  const targets = Float32Array.from({ length: examples * 3 }, (_, k) => {
    const [i, c] = [Math.floor(k / 3), k % 3];
    let sum = 0;
    for (let j = 0; j < 6; j++) sum += inputs[i * 6 + j]! * weights[j * 3 + c]!;
    return Math.tanh(sum) + 0.1 * draws.normal();
  });
  return { examples, inputs, targets };
}

function pick(latest: Readonly<Record<string, number>>) {
  return {
    exact: latest["noiseKernel/exact"]!,
    diagonal: latest["noiseKernel/diagonal"]!,
    highDim: latest["noiseKernel/highDim"]!,
  };
}
