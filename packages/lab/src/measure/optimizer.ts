import { compile, vjp, type Graph } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { takeExamples, type Split } from "../data/dataset.js";
import type { OptimizerSettings } from "../curvature/optimizer-dynamics.js";
import { breathe } from "../event-loop.js";
import { sizeOf, type Params, type ParamSpec } from "../models/model.js";

/** An optimiser by its settings alone: without the state that an adaptive one has after training for a while. */
export interface OptimizerRequest {
  readonly kind: "sgd" | "momentum" | "nesterov" | "adam" | "adamw" | "rmsprop";
  readonly learningRate: number;
  /** Heavy ball's, Nesterov's and RMSProp's. */
  readonly momentum?: number | undefined;
  readonly beta1?: number | undefined;
  readonly beta2?: number | undefined;
  readonly epsilon?: number | undefined;
  readonly weightDecay?: number | undefined;
}

export const isAdaptive = ({ kind }: OptimizerRequest): boolean =>
  kind === "adam" || kind === "adamw" || kind === "rmsprop";

/** Late in a run: Adam's corrections of its means for their start from zero have died away. */
const lateStep = 1_000_000;

/**
 * @param meanSquares  E[g²] of a minibatch's gradient, for an adaptive optimiser: what its running mean settles at.
 */
export function optimizerSettings(request: OptimizerRequest, meanSquares: Params | null): OptimizerSettings {
  const { kind, learningRate, momentum, beta1, beta2, epsilon, weightDecay } = request;
  const small = epsilon !== undefined && { epsilon };
  const decay = weightDecay !== undefined && { weightDecay };
  switch (kind) {
    case "sgd":
      return { kind, learningRate, ...decay };
    case "momentum":
    case "nesterov":
      return { kind: "sgd", learningRate, momentum: momentum ?? 0.9, nesterov: kind === "nesterov", ...decay };
    case "rmsprop":
      return {
        ...{ kind, learningRate, squareAverage: meanSquares! },
        ...(momentum !== undefined && { momentum }),
        ...small,
        ...decay,
      };
    case "adam":
    case "adamw":
      return {
        ...{ kind, learningRate, step: lateStep, secondMoment: meanSquares! },
        ...(beta1 !== undefined && { beta1 }),
        ...(beta2 !== undefined && { beta2 }),
        ...small,
        ...decay,
      };
  }
}

export interface MeanSquaresOptions {
  readonly batchSize: number;
  readonly seed: number;
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Minibatches that a mean square is taken over. */
const batches = 32;
/** What a minibatch of the estimate has at most; the noise of a larger one is inferred from its. */
const largestBatch = 64;

/**
 * E[g²] of every parameter over minibatches of B at the present weights: where the running mean of an adaptive optimiser
 * settles when weights change slowly. With g = ∇L + noise of variance Σ/B: measured at b ≤ 64 and carried to B.
 */
export async function meanSquaredGradients(
  objective: Graph,
  specs: readonly ParamSpec[],
  params: Params,
  split: Split,
  { batchSize, seed, threads, signal, onProgress }: MeanSquaresOptions,
): Promise<Params> {
  const names = specs.map(({ name }) => name);
  const session = await compile(vjp(objective, { of: "loss", wrt: names }), { threads });
  const random = createRandom(`measure gradients, ${seed}`);
  const size = Math.min(batchSize, largestBatch, split.examples);
  const sums = specs.map(({ shape }) => new Float64Array(sizeOf(shape)));
  const squares = specs.map(({ shape }) => new Float64Array(sizeOf(shape)));
  try {
    for (let batch = 0; batch < batches; batch++) {
      await breathe();
      signal?.throwIfAborted();
      onProgress?.(batch, batches);
      const chosen = Array.from({ length: size }, () => random.integer(split.examples));
      const { inputs: x, targets: y } = takeExamples(split, chosen);
      const results = await session.run({ ...params, x, y }, { outputs: names.map((name) => `gradient/${name}`) });
      names.forEach((name, k) => {
        const gradient = results[`gradient/${name}`]!.data as Float32Array;
        for (let i = 0; i < gradient.length; i++) {
          sums[k]![i]! += gradient[i]!;
          squares[k]![i]! += gradient[i]! ** 2;
        }
      });
    }
  } finally {
    await session.dispose();
  }
  const shrink = size / batchSize; // of the variance, from b to B
  return Object.fromEntries(
    names.map((name, k) => [
      name,
      Float32Array.from(sums[k]!, (sum, i) => {
        const mean = sum / batches;
        const variance = Math.max(0, squares[k]![i]! / batches - mean * mean) * (batches / (batches - 1));
        // E[ḡ²] = (∇L)² + variance/batches
        return Math.max(0, mean * mean - variance / batches) + variance * shrink;
      }),
    ]),
  );
}
