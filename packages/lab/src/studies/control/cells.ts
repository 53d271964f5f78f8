import type { TrainConfigInput } from "../../config/train-config.js";

/** One run of the study: a task that can be done, and done again, by itself. */
export interface Cell {
  /** Also the name of its file. */
  readonly name: string;
  readonly task: string;
  /** Who sets η. */
  readonly arm: string;
  /** η that it starts from over the task's good one: 1, or a bad one. */
  readonly start: number;
  readonly seed: number;
  readonly config: TrainConfigInput;
  /** Whether an edge test is made at the end of it. */
  readonly edgeTest: boolean;
}

export interface Task {
  readonly name: string;
  readonly base: TrainConfigInput;
  /** A good constant η, from the grid. */
  readonly learningRate: number;
  /** Factors on it that make the grid. */
  readonly grid: readonly number[];
  /** Training loss whose step and time are reported. */
  readonly targetLoss: number;
  /** Needs data that may be absent. */
  readonly needsData: boolean;
}

const grid = [0.1, 0.3, 1, 3, 10];

/** @param data  Folder with CIFAR-10. */
export function tasks(quick: boolean, data: string | undefined): Task[] {
  const probes = { count: 41, examples: 32, measure: ["loss" as const] };
  const mnist = (name: string, more: Partial<TrainConfigInput>): Task => ({
    name,
    base: { steps: quick ? 2000 : 12_000, batchSize: 1, learningRate: 0.01, probes, ...more },
    ...{ learningRate: more.learningRate ?? 0.01, grid, targetLoss: 0.1, needsData: false },
  });
  const cifar = (name: string, more: Partial<TrainConfigInput>): Task => ({
    name,
    base: {
      data: { name: "cifar10", examples: 4000, testExamples: 2000, ...(data !== undefined && { path: data }) },
      ...{ loss: "cross-entropy", steps: 2500, batchSize: 32, learningRate: 0.05, probes, threads: 2 },
      ...more,
    },
    ...{ learningRate: more.learningRate ?? 0.05, grid, targetLoss: 1, needsData: true },
  });
  const first = mnist("mnist-fcn", {});
  if (quick) return [first];
  return [
    first,
    mnist("mnist-fcn-batch-16", { batchSize: 16, learningRate: 0.1, steps: 3000 }),
    mnist("mnist-fcn-wide", { model: { widths: [512, 512] } }),
    mnist("fashion-fcn", { data: { name: "fashion-mnist" } }),
    mnist("mnist-fcn-adam", { batchSize: 16, steps: 3000, learningRate: 1e-3, optimizer: { kind: "adam" } }),
    cifar("cifar10-cnn", { model: { kind: "cnn" } }),
    cifar("cifar10-resnet", { model: { kind: "resnet" }, steps: 1000 }),
    cifar("cifar10-vit", { model: { kind: "vit" }, optimizer: { kind: "adamw" }, learningRate: 1e-3 }),
  ];
}

/** Every run of the study, those of one task together. */
export function cellsOf(task: Task, seeds: number, quick: boolean): Cell[] {
  const { name, base, learningRate } = task;
  const cells: Cell[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const add = (arm: string, start: number, more: Partial<TrainConfigInput>, edgeTest = false) =>
      void cells.push({
        name: `${name}--${arm.replaceAll(/[^\w.-]+/g, "-")}--${start}--${seed}`,
        ...{ task: name, arm, start, seed, edgeTest },
        config: { ...base, learningRate: start * learningRate, seed, ...more },
      });
    for (const factor of task.grid) add("constant", factor, {}, factor === 1);
    for (const factor of quick ? [1, 3] : task.grid) add("cosine", factor, { schedule: { kind: "cosine" } });
    for (const target of quick ? [0.5] : [0.25, 0.5, 1]) {
      for (const start of [0.1, 1, 10]) {
        add(`K = ${target}`, start, { control: { kind: "noise-kernel", targetNoiseKernel: target } });
      }
    }
    const cosine = { schedule: { kind: "cosine" as const } };
    for (const start of [0.1, 1, 10]) {
      add("K = 0.5, cosine", start, { ...cosine, control: { kind: "noise-kernel", targetNoiseKernel: 0.5 } });
    }
    if (quick) continue;
    for (const start of [0.1, 1, 10]) {
      add("sharpness 0.9", start, { control: { kind: "sharpness" } });
      add("warmup", start, { control: { kind: "warmup" } });
    }
    add("batch", 1, { control: { kind: "noise-kernel-batch" } });
  }
  return cells;
}
