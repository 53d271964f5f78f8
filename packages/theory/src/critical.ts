import { diagonalPerron } from "./diagonal-noise-kernel.js";
import { checkChoice, checkPositive } from "./errors.js";
import { exactPerron, warmPerron } from "./exact-noise-kernel.js";
import { checkSystem, type LinearSystem } from "./linear-system.js";
import { highDimSum, traceForm } from "./noise-kernel.js";
import { deterministicLimit, deterministicRatio } from "./response.js";
import { bracketedRoot } from "./root.js";
import { coefficientsAt } from "./sampling.js";
import { resolveDynamics, type Dynamics, type SgdSettings } from "./settings.js";

/** What to hold at its critical value: one of the noise kernel norms, or the deterministic edge alone. */
export type StabilityNorm = "exact" | "diagonal" | "highDim" | "trace" | "deterministic";

const norms = ["exact", "diagonal", "highDim", "trace", "deterministic"] as const;

export interface CriticalOptions {
  /** The value of the norm to solve for. Default 1, the stochastic edge. Without meaning for "deterministic". */
  readonly target?: number | undefined;
  /** Default "exact". */
  readonly norm?: StabilityNorm | undefined;
}

export interface CriticalValue {
  readonly value: number;
  /** Which edge is met there: K = target, η(λ_max+δ) = 2(1+m) (over 1+2m with Nesterov's momentum), or none. */
  readonly edge: "stochastic" | "deterministic" | "none";
}

/** Relative accuracy of what is solved for. K is solved for more accurately still. */
const ACCURACY = 1e-10;
const NORM_ACCURACY = 1e-12;

/**
 * The largest stable learning rate: where K reaches `target`, or the deterministic edge if that comes first. `Infinity` with
 * edge "none" for a kernel of zeros.
 *
 * K is increasing in η. Solved on η/K, which for a single mode is linear in η, so a few evaluations suffice.
 *
 * @throws TheoryRangeError or TheoryTypeError for settings out of range
 */
export function criticalLearningRate(
  system: LinearSystem,
  settings: Omit<SgdSettings, "learningRate"> & CriticalOptions,
): CriticalValue {
  const where = "criticalLearningRate";
  checkSystem(where, system);
  const dynamics = resolveDynamics(where, system.examples, { ...settings, learningRate: 1 });
  const { target, norm } = checkCriticalOptions(where, settings);
  return learningRateAt(system, dynamics, norm, target);
}

/** As `criticalLearningRate`, unchecked. The learning rate in `dynamics` is not used. */
export function learningRateAt(
  system: LinearSystem,
  dynamics: Omit<Dynamics, "learningRate">,
  norm: StabilityNorm,
  target: number,
): CriticalValue {
  const edge = deterministicLimit(dynamics) / (system.lambdaMax + dynamics.weightDecay);
  const none = system.lambdaMax === 0;
  if (norm === "deterministic" || none) return { value: edge, edge: edge === Infinity ? "none" : "deterministic" };
  if (norm === "trace") {
    const value = target / traceForm(system.trace, system.outputs, { ...dynamics, learningRate: 1 });
    return value < edge ? { value, edge: "stochastic" } : { value: edge, edge: "deterministic" };
  }
  const kernel = warmNorm(system, norm);
  const gap = (learningRate: number): number => {
    const value = kernel({ ...dynamics, learningRate });
    return learningRate / value - learningRate / target;
  };
  let high = edge * (1 - 1e-9);
  let valueHigh = gap(high);
  if (!(valueHigh < 0)) return { value: edge, edge: "deterministic" };
  let low = 0.25 * edge;
  let valueLow = gap(low);
  while (valueLow < 0) {
    [high, valueHigh] = [low, valueLow];
    low *= 0.125;
    valueLow = gap(low);
  }
  return { value: bracketedRoot(gap, low, high, valueLow, valueHigh, ACCURACY), edge: "stochastic" };
}

/**
 * The smallest stable batch size, a real number (round it up): where K falls to `target`. At least 1, with edge "none" where even
 * B = 1 is inside. `Infinity` with edge "deterministic" past that edge, which no batch size cures. Sampling with replacement
 * never stops making noise, so there the value may exceed N.
 *
 * K is decreasing in B, and nearly linear in 1/B, which is what is solved for.
 *
 * @throws TheoryRangeError or TheoryTypeError for settings out of range
 */
export function criticalBatchSize(
  system: LinearSystem,
  settings: Omit<SgdSettings, "batchSize"> & CriticalOptions,
): CriticalValue {
  const where = "criticalBatchSize";
  checkSystem(where, system);
  const dynamics = resolveDynamics(where, system.examples, { ...settings, batchSize: 1 });
  const { target, norm } = checkCriticalOptions(where, settings);
  const { sampling = "without-replacement", population = system.examples } = settings;
  if (deterministicRatio(system.lambdaMax, dynamics) >= 1) return { value: Infinity, edge: "deterministic" };
  if (norm === "deterministic") return { value: 1, edge: "none" };
  if (norm === "trace") {
    const value = traceForm(system.trace, system.outputs, { ...dynamics, batchSize: 1 }) / target;
    return value > 1 ? { value, edge: "stochastic" } : { value: 1, edge: "none" };
  }
  const kernel = warmNorm(system, norm);
  const excess = (inverse: number): number => {
    const { kappa, c } = coefficientsAt(sampling, population, 1 / inverse);
    return kernel({ ...dynamics, batchSize: 1 / inverse, kappa, c: (system.examples / population) * c }) - target;
  };
  let high = 1;
  let valueHigh = excess(high);
  if (valueHigh <= 0) return { value: 1, edge: "none" };
  let low = 0.125;
  for (;;) {
    if (sampling !== "with-replacement") low = Math.max(low, 1 / population);
    const valueLow = excess(low);
    if (valueLow <= 0) {
      const inverse = bracketedRoot(excess, low, high, valueLow, valueHigh, ACCURACY);
      return { value: 1 / inverse, edge: "stochastic" };
    }
    [high, valueHigh] = [low, valueLow];
    low *= 0.125;
  }
}

function checkCriticalOptions(where: string, { target = 1, norm = "exact" }: CriticalOptions) {
  checkPositive(where, "target", target);
  checkChoice(where, "norm", norm, norms);
  return { target, norm };
}

/** A norm as a function of the dynamics; the exact one starts each time from the Perron vector before. */
function warmNorm(system: LinearSystem, norm: "exact" | "diagonal" | "highDim"): (dynamics: Dynamics) => number {
  if (norm === "highDim") return (dynamics) => highDimSum(system.spectrum, dynamics);
  let start: Float64Array | undefined;
  if (norm === "diagonal") {
    return (dynamics) => {
      const { value, blocks } = diagonalPerron(system, dynamics, NORM_ACCURACY, start);
      if (value > 0) start = blocks;
      return value;
    };
  }
  return (dynamics) => {
    const { value, perron } =
      start === undefined
        ? exactPerron(system, dynamics, NORM_ACCURACY)
        : warmPerron(system, dynamics, NORM_ACCURACY, start);
    if (value > 0) start = perron;
    return value;
  };
}
