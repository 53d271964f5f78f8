import { diagonalPerron } from "./diagonal-noise-kernel.js";
import { checkInteger, checkNumber, finiteArray } from "./errors.js";
import { checkExactOptions, exactPerron, type ExactNoiseKernelOptions } from "./exact-noise-kernel.js";
import { checkSystem, type LinearSystem } from "./linear-system.js";
import { deterministicRatio, pairResponse } from "./response.js";
import { resolveDynamics, type Dynamics, type SgdSettings } from "./settings.js";

export interface NoiseKernelOptions extends ExactNoiseKernelOptions {
  /** Also return the Perron blocks and the examples' weights. Default false. */
  readonly perron?: boolean | undefined;
}

/** The noise kernel norm four ways, and how far each edge is. All dimensionless but `lambdaMax`. */
export interface NoiseKernel {
  /** The exact norm: 1 on the stochastic edge. `Infinity`, as the others are, at or past the deterministic edge. */
  readonly exact: number;
  /** ‖T W − K W‖ of the exact norm's eigenvector; the error of `exact` is of its square. */
  readonly exactRitzResidual: number;
  /** The paper's norm. At most `exact`. */
  readonly diagonal: number;
  /** The high-dimensional approximation, from the spectrum alone. At most `diagonal`. */
  readonly highDim: number;
  /** η tr Θ/(2BC(1−m)): the roughest, from one number. */
  readonly trace: number;
  /** The largest eigenvalue of Θ: the sharpness of the linearised model. */
  readonly lambdaMax: number;
  /** η(λ_max+δ)/(2(1+m)), times 1+2m with Nesterov's momentum: 1 on the deterministic edge. */
  readonly deterministicRatio: number;
  /** The edge nearer to being crossed: that of the larger of `exact` and `deterministicRatio`. Past the deterministic one, that. */
  readonly binding: "deterministic" | "stochastic";
  /** Inside both edges: the expected squared residual decays. */
  readonly stable: boolean;
  /** With the option `perron`: see ExactNoiseKernel. */
  readonly perron?: Float64Array;
  readonly exampleWeights?: Float64Array;
}

/**
 * The noise kernel norm K of SGD on a linear system, exactly and in three approximations: docs/theory/noise-kernel.md.
 *
 * For one and the same sampling highDim ≤ diagonal ≤ exact.
 *
 * @throws TheoryRangeError or TheoryTypeError for settings or options out of range
 */
export function noiseKernel(
  system: LinearSystem,
  settings: SgdSettings,
  options: NoiseKernelOptions = {},
): NoiseKernel {
  const where = "noiseKernel";
  checkSystem(where, system);
  const dynamics = resolveDynamics(where, system.examples, settings);
  const { tolerance, start } = checkExactOptions(where, system, options);
  const { lambdaMax, spectrum, examples, outputs } = system;
  const ratio = deterministicRatio(lambdaMax, dynamics);
  if (ratio >= 1) {
    return {
      exact: Infinity,
      exactRitzResidual: 0,
      diagonal: Infinity,
      highDim: Infinity,
      trace: Infinity,
      lambdaMax,
      deterministicRatio: ratio,
      binding: "deterministic",
      stable: false,
      ...(options.perron
        ? { perron: new Float64Array(examples * outputs * outputs), exampleWeights: new Float64Array(examples) }
        : {}),
    };
  }
  const diagonal = diagonalPerron(system, dynamics, tolerance, start);
  const exact = exactPerron(system, dynamics, tolerance, start ?? diagonal.blocks);
  return {
    exact: exact.value,
    exactRitzResidual: exact.ritzResidual,
    diagonal: diagonal.value,
    highDim: highDimSum(spectrum, dynamics),
    trace: traceForm(system.trace, outputs, dynamics),
    lambdaMax,
    deterministicRatio: ratio,
    binding: exact.value >= ratio ? "stochastic" : "deterministic",
    stable: exact.value < 1,
    ...(options.perron ? { perron: exact.perron, exampleWeights: exact.exampleWeights } : {}),
  };
}

/**
 * K in the high-dimensional approximation, Σ_μ G_μμ/(NC), which needs a spectrum and no eigenvectors. For m = δ = 0, κ = 1:
 * (cη/NC) Σ λ/(2−ηλ). A lower bound on the diagonal norm.
 *
 * @param spectrum all N·C eigenvalues of Θ, zeros included, in any order; round-off negatives count as zero
 * @param examples N, of the system: `settings.population` is the run's where that differs
 * @returns K, or `Infinity` at or past the deterministic edge
 * @throws TheoryRangeError or TheoryTypeError if the length is no multiple of `examples`, or a value is not finite
 */
export function highDimNoiseKernel(spectrum: ArrayLike<number>, examples: number, settings: SgdSettings): number {
  const where = "highDimNoiseKernel";
  checkInteger(where, "examples", examples, 1);
  const dynamics = resolveDynamics(where, examples, settings);
  const outputs = Math.max(1, Math.ceil(((spectrum as ArrayLike<number> | undefined)?.length ?? 0) / examples));
  const values = finiteArray(
    where,
    "spectrum",
    spectrum,
    examples * outputs,
    `examples × outputs = ${examples} × ${outputs}`,
  );
  const lambdaMax = values.reduce((most, lambda) => Math.max(most, lambda), 0);
  return deterministicRatio(lambdaMax, dynamics) >= 1 ? Infinity : highDimSum(values, dynamics);
}

/** As `highDimNoiseKernel`, unchecked, inside the deterministic edge. */
export function highDimSum(spectrum: Float64Array, dynamics: Dynamics): number {
  let lambdaMax = 0;
  for (const lambda of spectrum) lambdaMax = Math.max(lambdaMax, lambda);
  const zero = spectrum.length * 1e-14 * lambdaMax; // below this a mode is round-off
  let sum = 0;
  for (const lambda of spectrum) if (lambda > zero) sum += pairResponse(lambda, lambda, dynamics);
  return sum / spectrum.length;
}

/**
 * K from the trace alone, η tr Θ/(2BC(1−m)). It knows no edge, no sampling and no weight decay; with B = N it does not vanish.
 *
 * @param trace tr Θ = the mean over examples of their squared Jacobian norm, at least 0
 * @param outputs C
 * @throws TheoryRangeError or TheoryTypeError for anything out of range
 */
export function traceNoiseKernel(
  trace: number,
  outputs: number,
  settings: Pick<SgdSettings, "learningRate" | "batchSize" | "momentum">,
): number {
  const where = "traceNoiseKernel";
  checkNumber(where, "trace", trace, (x) => x >= 0 && Number.isFinite(x), "a finite number of at least 0");
  checkInteger(where, "outputs", outputs, 1);
  const dynamics = resolveDynamics(where, 1, { ...settings, population: Number.MAX_SAFE_INTEGER });
  return traceForm(trace, outputs, dynamics);
}

/** As `traceNoiseKernel`, unchecked. */
export function traceForm(trace: number, outputs: number, { learningRate, batchSize, momentum }: Dynamics): number {
  return (learningRate * trace) / (2 * batchSize * outputs * (1 - momentum));
}
