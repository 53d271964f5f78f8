import { checkChoice, checkInteger, checkNumber, checkPositive, describe, TheoryTypeError } from "./errors.js";
import { coefficientsAt, samplings, type Sampling } from "./sampling.js";

/**
 * How SGD is run: θ' = θ + m(θ − θ₋) − η(g + δθ), g the mean gradient of a minibatch of B examples. With Nesterov's momentum g and
 * the decay are those at the look-ahead point φ = θ + m(θ − θ₋): θ' = φ − η(g(φ) + δφ).
 */
export interface SgdSettings {
  /** η, above 0. */
  readonly learningRate: number;
  /** B, an integer from 1 to the number of examples (of the population, if that is given). */
  readonly batchSize: number;
  /** m in [0, 1), heavy ball unless `nesterov`. Default 0. */
  readonly momentum?: number | undefined;
  /** Nesterov's momentum: gradients at the look-ahead point. Default false. */
  readonly nesterov?: boolean | undefined;
  /** δ ≥ 0, L2. Default 0. */
  readonly weightDecay?: number | undefined;
  /** Default "without-replacement". */
  readonly sampling?: Sampling | undefined;
  /**
   * N, where the system is a probe of n < N of the run's examples. Then κ comes from N and c is (n/N) times the run's, which
   * keeps K the same in expectation, and B may exceed n. Default: the system is all there is.
   */
  readonly population?: number | undefined;
}

/** What the formulas need of the settings: numbers all checked, defaults filled in. */
export interface Dynamics {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly kappa: number;
  readonly c: number;
}

/**
 * @param where the public function that was called, for messages
 * @param examples the system's own number of examples
 */
export function resolveDynamics(where: string, examples: number, settings: SgdSettings): Dynamics {
  checkOptions(where, "settings", settings);
  const { learningRate, batchSize, momentum = 0, nesterov = false } = settings;
  const { weightDecay = 0, population = examples } = settings;
  const sampling = settings.sampling ?? "without-replacement";
  checkPositive(where, "learningRate", learningRate);
  checkMomentum(where, momentum);
  if (typeof nesterov !== "boolean")
    throw new TheoryTypeError(`${where}: nesterov: expected true or false, got ${describe(nesterov)}.`);
  checkWeightDecay(where, weightDecay);
  checkChoice(where, "sampling", sampling, samplings);
  checkInteger(where, "population", population, examples);
  checkInteger(where, "batchSize", batchSize, 1, population);
  const { kappa, c } = coefficientsAt(sampling, population, batchSize);
  return { learningRate, batchSize, momentum, nesterov, weightDecay, kappa, c: (examples / population) * c };
}

export function checkOptions(where: string, argument: string, value: unknown): asserts value is object {
  if (typeof value !== "object" || value === null)
    throw new TheoryTypeError(`${where}: ${argument}: expected an object, got ${describe(value)}.`);
}

export function checkMomentum(where: string, value: unknown): asserts value is number {
  checkNumber(where, "momentum", value, (m) => m >= 0 && m < 1, "a number in [0, 1)");
}

export function checkWeightDecay(where: string, value: unknown): asserts value is number {
  checkNumber(where, "weightDecay", value, (x) => x >= 0 && Number.isFinite(x), "a finite number of at least 0");
}
