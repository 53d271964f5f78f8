import { compile, numbersOf, tensor, type Graph } from "@sedge/autodiff";
import type { Random } from "@sedge/linalg";
import type { Sampling } from "@sedge/theory";
import type { Split } from "../../data/dataset.js";
import { BadInput } from "../../errors.js";
import { breathe } from "../../event-loop.js";
import type { Params, ParamSpec } from "../../models/model.js";
import { minibatchStream } from "../../sampling/minibatch-stream.js";
import { estimateOf, type Estimate } from "../estimate.js";
import { innerProduct, overBatches } from "./batch-loop.js";

export interface BatchSharpnessOptions {
  /** B. */
  readonly batchSize: number;
  /** Which minibatches: the run's. Default "with-replacement". */
  readonly sampling?: Exclude<Sampling, "bernoulli">;
  readonly random: Random;
  /** Stops once the standard error is this share of the value. Default 0.05. */
  readonly relativeError?: number;
  /** Most minibatches. Default 256. */
  readonly maxBatches?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface BatchSharpness extends Estimate {
  /** Whether the standard error came down to what was asked for. */
  readonly converged: boolean;
}

/** Measures batch sharpness. Holds a session: dispose of it. */
export interface BatchSharpnessEstimator {
  /**
   * E_B[ g_Bᵀ H_B g_B / ‖g_B‖² ], g_B and H_B the gradient and the Hessian of the loss on a random minibatch, unit 1/η
   * (Andreyev and Beneventano, arXiv:2412.20553). Gradient descent on single minibatches is unstable where it exceeds 2/η.
   *
   * A mean over independent minibatches, in rounds of 16 until the error is small enough. Minibatches whose gradient
   * vanishes have no value and do not count; NaN if none is left.
   *
   * @throws BadInput if an option is out of range.
   */
  measure(params: Params, split: Split, options: BatchSharpnessOptions): Promise<BatchSharpness>;
  dispose(): Promise<void>;
}

/** Minibatches in one call. Fewer than two rounds would let a lucky start pass for precision. */
const round = 16;

/** @param objective  With inputs `x`, `y` and the parameters, and the scalar output `loss`, a mean over examples. */
export async function openBatchSharpness(
  objective: Graph,
  specs: readonly ParamSpec[],
  { threads = 1 }: { readonly threads?: number } = {},
): Promise<BatchSharpnessEstimator> {
  const names = specs.map(({ name }) => name);
  const quotients = overBatches(objective, names, ({ b, steps, batchAt }) => {
    const { scan } = b.loop({
      steps,
      state: {},
      body: ({ step }) => {
        const { loss, wrt } = batchAt(step);
        const gradient = b.gradient(loss, [...wrt]);
        const product = b.hessianVectorProduct(loss, [...wrt], gradient);
        const quotient = b.div(innerProduct(b, gradient, product), innerProduct(b, gradient, gradient));
        return { state: {}, scan: { quotient } };
      },
    });
    return { quotients: scan.quotient };
  });
  const session = await compile(quotients, { threads });

  return {
    async measure(params, split, options) {
      const { batchSize, sampling = "with-replacement", random, relativeError = 0.05, maxBatches = 256 } = options;
      requireRange("batchSize", batchSize, 1, split.examples);
      requireRange("maxBatches", maxBatches, 2, Infinity);
      if (!(relativeError > 0)) {
        throw new BadInput(`batchSharpness: relativeError: expected a number above 0, got ${relativeError}.`);
      }
      const minibatches = minibatchStream({ examples: split.examples, batchSize, sampling, random });
      const samples: number[] = [];
      let drawn = 0;
      let converged = false;
      while (!converged && drawn < maxBatches) {
        await breathe();
        options.signal?.throwIfAborted();
        const count = Math.min(round, maxBatches - drawn);
        const indices = tensor(minibatches.next(count), [count, batchSize], "int64");
        const { quotients: found } = await session.run({ ...params, x: split.inputs, y: split.targets, indices });
        samples.push(...numbersOf(found!).filter(Number.isFinite));
        drawn += count;
        const { value, standardError } = estimateOf(samples);
        converged = drawn >= 2 * round && standardError <= relativeError * Math.abs(value);
      }
      return { ...estimateOf(samples), converged };
    },
    dispose: () => session.dispose(),
  };
}

function requireRange(name: string, value: number, least: number, most: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw new BadInput(`batchSharpness: ${name}: expected a whole number from ${least} to ${most}, got ${value}.`);
  }
}
