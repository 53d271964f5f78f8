import { createRandom, eigvalsh } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { parseTrainConfig, type TrainConfigInput } from "../config/train-config.js";
import { curvatureCases, denseCurvature } from "../curvature/testing.js";
import { flattenParams } from "../models/model.js";
import { objective } from "../objectives/objective.js";
import { optimizerOf } from "../training/optimizer.js";
import { sharpnessProbe } from "./sharpness.js";

const learningRate = 0.02;
const step = 7;

/** What the probe records of a small network at a step of a run with this optimiser, and the truth's dense Hessian. */
async function measured(settings: Partial<TrainConfigInput>) {
  const given = curvatureCases()[1]!;
  const { model, loss, params, split } = given;
  const config = parseTrainConfig({ learningRate, batchSize: 2, steps: 10, ...settings });
  const moments = (name: string) =>
    Object.fromEntries(
      model.params.map((spec) => [
        `${name}/${spec.name}`,
        Float32Array.from(createRandom(spec.name).normals(params[spec.name]!.length), (x) => 1e-3 * x * x + 1e-4),
      ]),
    );
  const carried = { ...params, ...moments("secondMoment"), ...moments("squareAverage") };
  const shape = { name: "case", description: "", inputShape: model.inputShape, outputs: model.outputs };
  const probe = await sharpnessProbe({ tolerance: 1e-5 }).open({
    ...{ model, loss, objective: objective(model, loss), dataset: { ...shape, train: split, test: split } },
    sgd: { examples: split.examples, batchSize: 2, sampling: "with-replacement" },
    ...{ optimizer: optimizerOf(config), random: createRandom("sharpness"), threads: 1 },
  });
  const values = await probe.observe({ step, params, carried, learningRate });
  const memory = Object.keys(probe.memory ?? {});
  await probe.close();
  const { dense, size } = await denseCurvature(given, "hessian");
  /** λ_max of D^{-1/2} H D^{-1/2}, D = √(v/correction) + ε. */
  const largest = (name: string | null, correction: number) => {
    const root = new Float64Array(size).fill(1);
    if (name !== null) {
      const moment = Object.fromEntries(model.params.map((spec) => [spec.name, carried[`${name}/${spec.name}`]!]));
      flattenParams(model.params, moment).forEach((v, k) => (root[k] = (Math.sqrt(v / correction) + 1e-8) ** -0.5));
    }
    const scaled = dense.map((entry, at) => entry * root[Math.floor(at / size)]! * root[at % size]!);
    return eigvalsh(scaled, size)[size - 1]!;
  };
  return { values, memory, largest };
}

describe("edge/deterministic is 1 where full-batch descent with the run's optimiser loses stability", () => {
  // By hand: x' = (1+m)(1−p)x − m(1−p)x₋ leaves the unit circle at p = 2(1+m)/(1+2m), heavy ball's x' = (1+m−p)x − mx₋ at
  // 2(1+m); Adam is heavy ball of rate η(1−β₁)/(1−β₁ᵗ). Products are float32: 1e-4 of λ_max is ten times what they are off by.
  test.each<[string, Partial<TrainConfigInput>, string | null, number, number]>([
    ["heavy ball", { momentum: 0.9, weightDecay: 0.1 }, null, 1, learningRate / (2 * 1.9)],
    [
      "Nesterov",
      { momentum: 0.9, optimizer: { kind: "sgd", nesterov: true } },
      null,
      1,
      (learningRate * 2.8) / (2 * 1.9),
    ],
    [
      "Adam",
      { optimizer: { kind: "adam" } },
      "secondMoment",
      1 - 0.999 ** step,
      (learningRate * 0.1) / (1 - 0.9 ** step) / (2 * 1.9),
    ],
    ["RMSProp", { optimizer: { kind: "rmsprop" } }, "squareAverage", 1, learningRate / 2],
  ])("%s", async (_, settings, moment, correction, factor) => {
    const { values, memory, largest } = await measured(settings);
    const expected = factor * (largest(moment, correction) + (settings.weightDecay ?? 0));
    expect(Math.abs(values["edge/deterministic"]! / expected - 1)).toBeLessThan(1e-4);
    expect(Math.abs(values["sharpness"]! / largest(null, 1) - 1)).toBeLessThan(1e-4);
    expect(memory).toEqual(moment === null ? ["vector"] : ["vector", "preconditioned"]);
  });
});
