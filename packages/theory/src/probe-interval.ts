import { deterministicRatio, pairResponse } from "./response.js";
import type { LinearSystem } from "./linear-system.js";
import type { NoiseKernel } from "./noise-kernel.js";
import type { Dynamics } from "./settings.js";

export const norms = ["exact", "diagonal", "highDim", "trace"] as const;
export type Norm = (typeof norms)[number];
export type Norms = Pick<NoiseKernel, Norm>;

/** Numbers of groups and the 97.5 % quantile of Student's t of one degree of freedom less. */
const studentQuantiles = new Map([
  [8, 2.3646],
  [4, 3.1824],
  [2, 12.7062],
]);

/** Fewer examples than this say little of a norm. */
const leastExamples = 8;

/** Into how many disjoint groups a probe of n may be cut, most first: 2, 4 or 8, of at least eight examples. */
export const groupCounts = (examples: number): number[] =>
  [...studentQuantiles.keys()].filter((count) => count === 2 || examples >= count * leastExamples);

/** What makes a probe's norm differ from the population's. */
export interface ProbeErrors {
  readonly value: number;
  /** Of disjoint groups of the probe's examples, as many as `groupCounts` has. */
  readonly groups: readonly number[];
  /** Mean over the two halves. */
  readonly halfProbe: number;
  /** Examples' shares of the norm. */
  readonly shares: Float64Array;
  /** n/N. */
  readonly covered: number;
}

/**
 * The ends of a 95 % interval for the norm of the whole population, value·e^{±r/value}, with r from three independent causes:
 *
 *     r² = (1 − n/N) t² s²/g + 4 (1 − n/N)² (halfProbe − value)² + 4 (1 − n/N) value² n/(n−1) Σ_i (w_i − 1/n)²
 *
 * s the standard deviation of g disjoint groups and t Student's quantile; the bias of a probe of n, of order 1/n, which from n/2 to n is as
 * large as what is left of it; and the weights w of single examples: where one makes the norm, the probe has it by luck, and the groups
 * that lack it know nothing of it. The interval is one of factors, because such luck is.
 */
export function probeInterval({ value, groups, halfProbe, shares, covered }: ProbeErrors): {
  readonly low: number;
  readonly high: number;
} {
  const left = 1 - covered;
  if (value === 0 || left === 0) return { low: value, high: value };
  const mean = groups.reduce((sum, x) => sum + x, 0) / groups.length;
  const variance = groups.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (groups.length - 1);
  const n = shares.length;
  const total = shares.reduce((sum, x) => sum + x, 0);
  const concentration = (n / (n - 1)) * shares.reduce((sum, x) => sum + (x / total - 1 / n) ** 2, 0);
  const reach = Math.hypot(
    (studentQuantiles.get(groups.length) ?? NaN) * Math.sqrt((left * variance) / groups.length),
    2 * left * (halfProbe - value),
    2 * value * Math.sqrt(left * concentration),
  );
  return Number.isFinite(reach)
    ? { low: value * Math.exp(-reach / value), high: value * Math.exp(reach / value) }
    : { low: NaN, high: NaN };
}

/**
 * How much each example has of each norm, in any unit: of the exact one by ‖W_i‖², its block of the Perron vector, which stands for the
 * diagonal one's too; of the others by Σ_μ G_μμ ‖v_μi‖² and Σ_μ λ_μ ‖v_μi‖².
 */
export function exampleShares(
  system: LinearSystem,
  dynamics: Dynamics,
  perron: Float64Array,
): Readonly<Record<Norm, Float64Array>> {
  const { examples, outputs, rank, eigenvalues, modes, lambdaMax } = system;
  const isInside = deterministicRatio(lambdaMax, dynamics) < 1;
  const responses = eigenvalues.map((lambda) => (isInside ? pairResponse(lambda, lambda, dynamics) : NaN));
  const exact = new Float64Array(examples);
  perron.forEach((x, at) => (exact[Math.floor(at / outputs ** 2)]! += x * x));
  const highDim = new Float64Array(examples);
  const trace = new Float64Array(examples);
  for (let row = 0; row < examples * outputs; row++) {
    const i = Math.floor(row / outputs);
    for (let mu = 0; mu < rank; mu++) {
      const square = modes[row * rank + mu]! ** 2;
      highDim[i]! += responses[mu]! * square;
      trace[i]! += eigenvalues[mu]! * square;
    }
  }
  return { exact, diagonal: exact, highDim, trace };
}
