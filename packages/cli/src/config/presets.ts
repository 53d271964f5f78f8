import { existsSync } from "node:fs";
import { BadInput, readConfigFile, type TrainConfigInput } from "@sedge/lab";

/** Configs with a name. Flags change any key of them. */
export const presets: Readonly<Record<string, { readonly summary: string; readonly config: TrainConfigInput }>> = {
  "mnist-fcn": {
    summary: "MLP 784-128-128-10 tanh, 1000 MNIST images, squared loss, B = 1, η = 0.01",
    config: { learningRate: 0.01, batchSize: 1, steps: 12_000 },
  },
  "mnist-fcn-batch-32": {
    summary: "the same at B = 32, η = 0.05: the stochastic edge far off",
    config: { learningRate: 0.05, batchSize: 32, steps: 3000 },
  },
  "mnist-fcn-cross-entropy": {
    summary: "the same network with cross-entropy, B = 8, η = 0.02",
    config: { loss: "cross-entropy", learningRate: 0.02, batchSize: 8, steps: 6000 },
  },
  "cifar10-resnet18": {
    summary:
      "ResNet-18, 4000 CIFAR-10 images (sedge data get cifar10), B = 32, Nesterov, cosine η from 0.02: 16 epochs",
    config: {
      data: { name: "cifar10", examples: 4000, testExamples: 500 },
      model: { kind: "resnet", depth: 18 },
      loss: "cross-entropy",
      optimizer: { kind: "sgd", nesterov: true },
      momentum: 0.9,
      learningRate: 0.02,
      schedule: { kind: "cosine", warmup: 60 },
      batchSize: 32,
      steps: 2000,
      sampling: "epoch-shuffle",
      probes: { count: 5, measure: ["loss"] },
      threads: 2,
    },
  },
  "mnist-linear": {
    summary: "no hidden layer: a convex problem, B = 1, η = 0.0005",
    config: { model: { widths: [] }, learningRate: 0.0005, batchSize: 1, steps: 6000 },
  },
};

/**
 * The config that a person names: a file if there is one, otherwise a preset.
 *
 * @throws BadInput that lists the presets if it is neither.
 */
export function namedConfig(named: string): unknown {
  if (existsSync(named)) return readConfigFile(named) ?? {};
  const preset = Object.hasOwn(presets, named) ? presets[named] : undefined;
  if (preset !== undefined) return { name: named, ...preset.config };
  throw new BadInput(
    `${JSON.stringify(named)}: expected a .yaml, .yml or .json file that exists, or a preset: ${Object.keys(presets).join(", ")}.`,
  );
}
