import { checkInteger, finiteArray } from "./errors.js";
import { linearSystem, type LinearSystem } from "./linear-system.js";
import { noiseKernel, type NoiseKernel, type NoiseKernelOptions } from "./noise-kernel.js";
import { exampleShares, groupCounts, norms, probeInterval, type Norm, type Norms } from "./probe-interval.js";
import { checkOptions, resolveDynamics, type SgdSettings } from "./settings.js";

/** A noise kernel norm measured on a probe of n of the run's N examples. */
export interface ProbeEstimate {
  /** On the whole probe, n examples. */
  readonly value: number;
  /**
   * Half the difference of the two disjoint halves of the probe: the standard error of their mean, which stands in for that
   * of `value`. From two numbers, so itself uncertain by a factor of about two. NaN for a probe of one example, and where a
   * half is past the deterministic edge.
   */
  readonly standardError: number;
  /** Mean over the two halves: the value at n/2. A small probe reads a little high. */
  readonly halfProbe: number;
  /** 2·value − halfProbe, at least 0: both carried on to n = ∞ along 1/n. NaN where the halves have no finite value. */
  readonly extrapolated: number;
  /**
   * Ends of a 95 % interval for the norm of all N examples, bias and chance together (probe-interval.ts). It needs sixteen examples to be of
   * use, and is wide where few examples make the norm. NaN as `standardError` is, and with
   * the option `interval: false`.
   */
  readonly low: number;
  readonly high: number;
}

/** `noiseKernel` of a probe, each norm with its error bar. */
export interface ProbeNoiseKernel {
  readonly exact: ProbeEstimate;
  readonly diagonal: ProbeEstimate;
  readonly highDim: ProbeEstimate;
  readonly trace: ProbeEstimate;
  readonly lambdaMax: number;
  readonly deterministicRatio: number;
  readonly binding: NoiseKernel["binding"];
  readonly stable: boolean;
  /** Perron blocks [n, C, C]: `start` for the next measurement on the same probe. */
  readonly perron: Float64Array;
  /** How much each example of the probe contributes, [n], summing to 1. */
  readonly exampleWeights: Float64Array;
  /** The probe's eigenpairs. */
  readonly system: LinearSystem;
}

export interface ProbeInput {
  /** Θ_n = J Jᵀ/n of the probe, [n·C, n·C] row-major. */
  readonly ntk: ArrayLike<number>;
  /** n. The examples must be in random order: the halves are the first and the last ⌊n/2⌋. */
  readonly examples: number;
  /** C. Default 1. */
  readonly outputs?: number;
}

export interface ProbeOptions extends Pick<NoiseKernelOptions, "tolerance" | "start"> {
  /** Whether `low` and `high` are wanted: their groups take up to a sixth of the time. Default true. */
  readonly interval?: boolean | undefined;
}

/** Of the groups' K: their spread is far larger. */
const GROUP_TOLERANCE = 1e-3;

/**
 * The noise kernel norms of a run, from the NTK of a probe batch, with error bars from its two disjoint halves.
 *
 * @param settings the run's own η, B, momentum …; `population` is the run's N, and B may exceed n
 * @param options `tolerance` 1e-5 is far below the error bar; `start` the last measurement's `perron`
 * @throws TheoryRangeError or TheoryTypeError as linearSystem and noiseKernel do
 */
export function probeNoiseKernel(
  { ntk, examples, outputs = 1 }: ProbeInput,
  settings: SgdSettings,
  options: ProbeOptions = {},
): ProbeNoiseKernel {
  const where = "probeNoiseKernel";
  checkInteger(where, "examples", examples, 1);
  checkInteger(where, "outputs", outputs, 1);
  checkOptions(where, "settings", settings);
  const size = examples * outputs;
  const kernel = finiteArray(where, "ntk", ntk, size * size, `size × size = ${size} × ${size}`);
  const run = { ...settings, population: settings.population ?? examples };
  const system = linearSystem({ ntk: kernel, examples, outputs });
  const { tolerance, start, interval: isWanted = true } = options;
  const whole = noiseKernel(system, run, { tolerance, start, perron: true });
  // Θ_h = J Jᵀ/h: the block of Θ_n, times n/h.
  const part = (first: number, count: number, tolerance: number | undefined): NoiseKernel => {
    const block = diagonalBlock(kernel, size, first * outputs, count * outputs, examples / count);
    const own = whole.perron!.slice(first * outputs ** 2, (first + count) * outputs ** 2);
    const start = own.some((x) => x !== 0) ? own : undefined;
    return noiseKernel(linearSystem({ ntk: block, examples: count, outputs }), run, { tolerance, start });
  };
  const count = Math.floor(examples / 2);
  const halves = count === 0 ? [] : [0, examples - count].map((first) => part(first, count, tolerance));
  const areFinite = (parts: readonly Norms[]): boolean => parts.every(({ exact }) => Number.isFinite(exact));
  let groups: readonly Norms[] = halves;
  for (const wanted of isWanted && areFinite(halves) ? groupCounts(examples) : []) {
    if (wanted === 2) break;
    const own = Math.floor(examples / wanted);
    const found = Array.from({ length: wanted }, (_, k) => part(k * own, own, GROUP_TOLERANCE));
    if (!areFinite(found)) continue;
    groups = found;
    break;
  }
  const shares = exampleShares(system, resolveDynamics(where, examples, run), whole.perron!);
  const covered = examples / run.population;
  const estimate = (norm: Norm): ProbeEstimate => {
    const value = whole[norm];
    const [a = NaN, b = NaN] = halves.map((half) => half[norm]);
    const halfProbe = (a + b) / 2;
    const extrapolated = Number.isFinite(halfProbe) ? Math.max(0, 2 * value - halfProbe) : NaN;
    const own = { value, groups: groups.map((group) => group[norm]), halfProbe, shares: shares[norm], covered };
    const interval = isWanted && Number.isFinite(halfProbe) ? probeInterval(own) : { low: NaN, high: NaN };
    return { value, standardError: Math.abs(a - b) / 2, halfProbe, extrapolated, ...interval };
  };
  const [exact, diagonal, highDim, trace] = norms.map(estimate) as [
    ProbeEstimate,
    ProbeEstimate,
    ProbeEstimate,
    ProbeEstimate,
  ];
  return {
    exact,
    diagonal,
    highDim,
    trace,
    lambdaMax: whole.lambdaMax,
    deterministicRatio: whole.deterministicRatio,
    binding: whole.binding,
    stable: whole.stable,
    perron: whole.perron!,
    exampleWeights: whole.exampleWeights!,
    system,
  };
}

function diagonalBlock(matrix: Float64Array, size: number, first: number, count: number, factor: number): Float64Array {
  const block = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) block[i * count + j] = factor * matrix[(first + i) * size + first + j]!;
  }
  return block;
}
