import { compile, numbersOf, tensor, type Graph } from "@sedge/autodiff";
import type { Random } from "@sedge/linalg";
import type { Split } from "../../data/dataset.js";
import { BadInput } from "../../errors.js";
import { breathe } from "../../event-loop.js";
import type { Params, ParamSpec } from "../../models/model.js";
import { minibatchStream } from "../../sampling/minibatch-stream.js";
import { estimateOf, type Estimate } from "../estimate.js";
import { innerProduct, overBatches } from "./batch-loop.js";

export interface GradientNoiseScaleOptions {
  readonly random: Random;
  /** b, examples of a small minibatch. Default 1. */
  readonly small?: number;
  /** How many small minibatches make a large one: B = b · parts. Default 32: the fewer, the less normal the estimates and the less their intervals can be trusted. */
  readonly parts?: number;
  /** Large minibatches, each giving one pair of estimates. Default 16. */
  readonly repetitions?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface GradientNoiseScale {
  /**
   * B_simple = tr Σ / ‖g‖², the critical batch size: above it, larger minibatches save few steps. The jackknife's value and
   * error, the quotient of two means being biased. Where ‖g‖² is no larger than its own error this says little.
   */
  readonly noiseScale: Estimate;
  /** tr Σ, Σ the covariance of single examples' gradients. */
  readonly covarianceTrace: Estimate;
  /** ‖g‖², g the gradient of the whole set: without the noise that a minibatch's squared norm holds. May come out negative. */
  readonly gradientSquared: Estimate;
}

/** Measures the gradient noise scale. Holds a session: dispose of it. */
export interface GradientNoiseScaleEstimator {
  /**
   * From squared gradient norms of small (b) and large (B) minibatches drawn with replacement, without bias (McCandlish,
   * Kaplan and Amodei, arXiv:1812.06162, appendix A.1):
   *
   *     ‖g‖² = (B‖g_B‖² − b‖g_b‖²)/(B − b),   tr Σ = (‖g_b‖² − ‖g_B‖²)/(1/b − 1/B).
   *
   * @throws BadInput if an option is out of range.
   */
  measure(params: Params, split: Split, options: GradientNoiseScaleOptions): Promise<GradientNoiseScale>;
  dispose(): Promise<void>;
}

/** @param objective  With inputs `x`, `y` and the parameters, and the scalar output `loss`, a mean over examples. */
export async function openGradientNoiseScale(
  objective: Graph,
  specs: readonly ParamSpec[],
  { threads = 1 }: { readonly threads?: number } = {},
): Promise<GradientNoiseScaleEstimator> {
  const names = specs.map(({ name }) => name);
  const norms = overBatches(objective, names, ({ b, steps, params, batchAt }) => {
    const zeros = Object.fromEntries(names.map((name, i) => [name, b.zerosLike(params[i]!)]));
    const { state, scan } = b.loop({
      steps,
      state: zeros,
      body: ({ step, state }) => {
        const { loss, wrt } = batchAt(step);
        const gradient = b.gradient(loss, [...wrt]);
        const sum = Object.fromEntries(names.map((name, i) => [name, b.add(state[name]!, gradient[i]!)]));
        return { state: sum, scan: { square: innerProduct(b, gradient, gradient) } };
      },
    });
    const sum = names.map((name) => state[name]!);
    return { small: scan.square, sum: innerProduct(b, sum, sum) };
  });
  const session = await compile(norms, { threads });

  return {
    async measure(params, split, { random, small = 1, parts = 32, repetitions = 16, signal }) {
      requireInteger("small", small, 1, split.examples);
      requireInteger("parts", parts, 2, Infinity);
      requireInteger("repetitions", repetitions, 2, Infinity);
      const large = small * parts;
      const sampling = "with-replacement";
      const minibatches = minibatchStream({ examples: split.examples, batchSize: small, sampling, random });
      const squares: number[] = [];
      const traces: number[] = [];
      for (let k = 0; k < repetitions; k++) {
        await breathe();
        signal?.throwIfAborted();
        const indices = tensor(minibatches.next(parts), [parts, small], "int64");
        const found = await session.run({ ...params, x: split.inputs, y: split.targets, indices });
        const ofSmall = numbersOf(found["small"]!).reduce((sum, square) => sum + square, 0) / parts;
        const ofLarge = numbersOf(found["sum"]!)[0]! / parts ** 2;
        squares.push((large * ofLarge - small * ofSmall) / (large - small));
        traces.push((ofSmall - ofLarge) / (1 / small - 1 / large));
      }
      return {
        noiseScale: ratioOfMeans(traces, squares),
        covarianceTrace: estimateOf(traces),
        gradientSquared: estimateOf(squares),
      };
    },
    dispose: () => session.dispose(),
  };
}

/** mean(x)/mean(y) by the jackknife (Efron 1982, chapter 2): from n times the whole less n − 1 times the rest without one. */
function ratioOfMeans(x: readonly number[], y: readonly number[]): Estimate {
  const [sumX, sumY] = [x, y].map((values) => values.reduce((sum, value) => sum + value, 0)) as [number, number];
  const n = x.length;
  return estimateOf(x.map((value, i) => (n * sumX) / sumY - ((n - 1) * (sumX - value)) / (sumY - y[i]!)));
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw new BadInput(`gradientNoiseScale: ${name}: expected a whole number from ${least} to ${most}, got ${value}.`);
  }
}
