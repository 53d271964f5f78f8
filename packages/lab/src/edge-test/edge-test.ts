import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { openEvaluator } from "../curvature/evaluation.js";
import type { Dataset } from "../data/dataset.js";
import { openDataset } from "../data/open-dataset.js";
import { modelFromConfig } from "../models/model-from-config.js";
import type { Model } from "../models/model.js";
import { objective } from "../objectives/objective.js";
import { optimizerOf } from "../training/optimizer.js";
import { blowsUp, blowUpGrowth } from "./fork.js";
import { predictEdges, type Predictor } from "./predict.js";

export interface EdgeTestOptions {
  readonly checkpoint: Checkpoint;
  readonly dataset?: Dataset;
  readonly model?: Model;
  /** Minibatch streams, each with an edge of its own. Default 3. */
  readonly seeds?: number;
  /** Of a fork. Default 1000. */
  readonly steps?: number;
  /** B of the forks. Default the checkpoint's. */
  readonly batchSize?: number;
  /** n, of the probe for K. Default 64. */
  readonly examples?: number;
  /** Training examples, the first, that λ_max is measured on. Default all. */
  readonly curvatureExamples?: number | undefined;
  /** Halvings of the bracket, on the logarithm of η. Default 5: to 2 %. */
  readonly halvings?: number;
  /** What earlier calls have found, by name, and a place for what this one finds. */
  readonly parts?: { read(name: string): unknown; write(name: string, value: unknown): void };
  readonly onProgress?: (progress: { readonly label: string; readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Plain data: the record of kind `edge-test`. */
export interface EdgeTestResult {
  readonly step: number;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly steps: number;
  /** What counts as blowing up, for readers. */
  readonly definition: string;
  readonly startLoss: number;
  /** The η at which each seed's forks begin to blow up; Infinity where none did up to 256 times the run's. */
  readonly bySeed: readonly number[];
  /** Their geometric mean, and the standard error that its logarithm has over the seeds, times it. */
  readonly measured: { readonly value: number; readonly standardError: number };
  /** The η that each measure predicted, from the checkpoint alone. */
  readonly predicted: Readonly<Record<Predictor, number>>;
}

/** Doublings of η, up or down, before the search for a bracket is given up. */
const mostDoublings = 8;

/**
 * Where a run really comes off its edge: short runs from a checkpoint with η scaled, the smallest η that blows up found by
 * bisection for every seed, beside what each measure predicted. Growth is slow where K is only just above 1, so that
 * a finite number of steps puts the measured edge a little high.
 */
export async function edgeTest(options: EdgeTestOptions): Promise<EdgeTestResult> {
  const {
    checkpoint,
    seeds = 3,
    steps = 1000,
    examples = 64,
    halvings = 5,
    curvatureExamples,
    parts,
    signal,
  } = options;
  const { config } = checkpoint;
  const dataset = options.dataset ?? (await openDataset(config.data));
  const family = optimizerOf(config).kind === "sgd" ? "sgd" : "adam";
  const model = options.model ?? modelFromConfig(config.model, dataset, family);
  const batchSize = options.batchSize ?? checkpoint.control?.state.batchSize ?? config.batchSize;
  const evaluator = await openEvaluator(objective(model, config.loss), { threads: config.threads });
  const { loss: startLoss } = await evaluator
    .evaluate(checkpoint.carried, dataset.train)
    .finally(() => evaluator.dispose());
  const report = (label: string, done: number) => options.onProgress?.({ label, done, total: seeds + 1 });

  report("predictions", 0);
  const kept = async <T>(name: string, make: () => Promise<T>): Promise<T> => {
    const before = parts?.read(name);
    if (before !== undefined && before !== null) return before as T;
    const made = await make();
    parts?.write(name, made);
    return made;
  };
  const key = `${checkpoint.runId}-${checkpoint.step}-${batchSize}-${steps}`;
  const predicted = await kept(`${key}-predicted-${examples}`, () =>
    predictEdges(checkpoint, dataset, model, { examples, batchSize, curvatureExamples }),
  );
  const bySeed: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    report(`seed ${seed}`, seed + 1);
    const fork = { checkpoint, dataset, model, batchSize, steps, seed, startLoss, signal };
    const at = await kept(`${key}-seed-${seed}-${halvings}`, async () => {
      const found = await edgeOf(config.learningRate, halvings, (learningRate) => blowsUp({ ...fork, learningRate }));
      return Number.isFinite(found) ? found : "none";
    });
    bySeed.push(typeof at === "number" ? at : Infinity);
  }
  report("done", seeds + 1);
  return {
    ...{ step: checkpoint.step, learningRate: config.learningRate, batchSize, steps, startLoss, bySeed, predicted },
    definition: `the mean minibatch loss of a sixteenth of ${steps} steps exceeds ${blowUpGrowth} times the training loss at the checkpoint`,
    measured: geometricMean(bySeed),
  };
}

/** The smallest η that blows up: a bracket by doubling or halving from the run's own, then bisection. */
async function edgeOf(start: number, halvings: number, test: (rate: number) => Promise<boolean>): Promise<number> {
  const startsBad = await test(start);
  const factor = startsBad ? 0.5 : 2;
  let [known, rate] = [start, start * factor];
  for (let i = 1; (await test(rate)) === startsBad; i++) {
    if (i >= mostDoublings) return startsBad ? 0 : Infinity;
    [known, rate] = [rate, rate * factor];
  }
  let [low, high] = startsBad ? [rate, known] : [known, rate];
  for (let i = 0; i < halvings; i++) {
    const middle = Math.sqrt(low * high);
    if (await test(middle)) high = middle;
    else low = middle;
  }
  return Math.sqrt(low * high);
}

function geometricMean(values: readonly number[]): { value: number; standardError: number } {
  const logs = values.map(Math.log);
  const mean = logs.reduce((sum, x) => sum + x, 0) / logs.length;
  const variance = logs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (logs.length - 1);
  const value = Math.exp(mean);
  return { value, standardError: value * Math.sqrt(variance / logs.length) };
}
