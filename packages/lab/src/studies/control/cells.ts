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
  readonly edgeTest: EdgeTestSize | null;
}

export interface EdgeTestSize {
  readonly seeds: number;
  readonly steps: number;
}

export type StudySize = "quick" | "standard" | "full";

/** What is asked of a task: all controllers, or only how far one learning rate and one K carry over to it. */
type Question = "all" | "transfer";

export interface Task {
  readonly name: string;
  readonly question: Question;
  readonly base: TrainConfigInput;
  /** A good constant η, from the grid. */
  readonly learningRate: number;
  readonly edgeTest: EdgeTestSize;
  /** Needs data that may be absent. */
  readonly needsData: boolean;
}

/** Factors on a task's good η that constant rates try. */
const grid = [0.1, 0.3, 1, 3, 10];

/** @param data  Folder with CIFAR-10. */
export function tasks(size: StudySize, data: string | undefined): Task[] {
  const isFull = size === "full";
  // The loss is measured at both ends; on the way that of the minibatches is free.
  const probes = (examples: number) => ({ count: 2, examples, measure: ["loss" as const] });
  const mnist = (name: string, learningRate: number, steps: number, more: Partial<TrainConfigInput> = {}): Task => ({
    ...{ name, question: name === "mnist-fcn" || isFull ? "all" : "transfer", learningRate, needsData: false },
    base: { batchSize: 1, probes: probes(32), steps: isFull ? 2 * steps : steps, learningRate, ...more },
    edgeTest: { seeds: 3, steps: size === "quick" ? 500 : 1000 },
  });
  const cifar = (name: string, learningRate: number, steps: number, more: Partial<TrainConfigInput>): Task => ({
    ...{ name, question: "all", learningRate, needsData: true },
    base: {
      data: { name: "cifar10", examples: 4000, testExamples: 1000, ...(data !== undefined && { path: data }) },
      ...{
        batchSize: 32,
        loss: "cross-entropy",
        steps: isFull ? 4 * steps : steps,
        learningRate,
        probes: probes(16),
        ...more,
      },
    },
    edgeTest: { seeds: isFull ? 3 : 1, steps: 300 },
  });
  const first = mnist("mnist-fcn", 0.01, size === "quick" ? 2000 : 6000);
  if (size === "quick") return [first];
  const cnn = isFull ? {} : { widths: [16, 32, 32] };
  const resnet = isFull ? {} : { width: 8 };
  const vit = isFull ? {} : { width: 64, depth: 4, heads: 4, patch: 8 };
  return [
    first,
    mnist("mnist-fcn-batch-16", 0.1, 2000, { batchSize: 16 }),
    mnist("mnist-fcn-wide", 0.01, 6000, { model: { widths: [512, 512] } }),
    { ...mnist("fashion-fcn", 0.01, 6000, { data: { name: "fashion-mnist" } }), needsData: true },
    mnist("mnist-fcn-adam", 1e-3, 2000, { batchSize: 16, optimizer: { kind: "adam" } }),
    cifar("cifar10-cnn", 0.05, 2000, { batchSize: 8, model: { kind: "cnn", ...cnn } }),
    cifar("cifar10-resnet18", 0.1, 600, { batchSize: 16, model: { kind: "resnet", ...resnet } }),
    cifar("cifar10-vit", 1e-3, 800, { batchSize: 32, model: { kind: "vit", ...vit }, optimizer: { kind: "adamw" } }),
  ];
}

/** Every run of one task with one seed. */
export function cellsOf(task: Task, seed: number, size: StudySize): Cell[] {
  const { name, base, learningRate } = task;
  const cells: Cell[] = [];
  const add = (arm: string, start: number, more: Partial<TrainConfigInput>, edgeTest: EdgeTestSize | null = null) =>
    void cells.push({
      name: `${name}--${arm.replaceAll(/[^\w.-]+/g, "-")}--${start}--${seed}`,
      ...{ task: name, arm, start, seed, edgeTest },
      config: { ...base, learningRate: start * learningRate, seed, ...more },
    });
  const by = (control: NonNullable<TrainConfigInput["control"]>) => ({ control: { ...base.control, ...control } });
  const toK = (targetNoiseKernel: number) => by({ kind: "noise-kernel", targetNoiseKernel });
  const cosine = { schedule: { kind: "cosine" as const } };
  const isFull = size === "full";
  const withEdge = task.question === "all" ? task.edgeTest : null;
  for (const factor of grid) add("constant", factor, {}, factor === 1 ? withEdge : null);
  if (task.question === "transfer") {
    for (const target of [0.5, 1]) add(`K = ${target}`, 1, toK(target));
    return cells;
  }
  for (const factor of isFull ? grid : [1, 3, 10]) add("cosine", factor, cosine);
  const bad = [0.1, 1, 10];
  for (const start of bad) add("K = 0.5", start, toK(0.5));
  if (size === "quick") return cells;
  for (const start of isFull ? bad : [1]) {
    add("K = 1", start, toK(1));
    add("K = 0.5, cosine", start, { ...cosine, ...toK(0.5) });
    if (!base.optimizer) add("sharpness 0.9", start, by({ kind: "sharpness" }));
  }
  for (const start of isFull ? bad : [10]) add("warmup", start, by({ kind: "warmup" }));
  add("batch", 1, by({ kind: "noise-kernel-batch" }));
  return cells;
}
