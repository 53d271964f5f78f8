import { probeNoiseKernel, type ProbeEstimate, type ProbeNoiseKernel, type SgdSettings } from "@sedge/theory";

export interface SampledKernel {
  /** Of the S rows, [n·S, n·S]. */
  readonly matrix: Float64Array;
  /** n. */
  readonly examples: number;
  /** S. */
  readonly samples: number;
  /** C. */
  readonly outputs: number;
}

/**
 * The noise kernel norms of S sampled rows for each example. They read a little high, by some a/S: half of the rows read
 * 2a/S high, so the difference of the two is what the bias is, and is taken into the standard error (NaN with one row, of
 * which there is no half). Norms that divide by the number of outputs are given for C.
 */
export function sampledNoiseKernel(
  { matrix, examples, samples, outputs }: SampledKernel,
  settings: SgdSettings,
  options: Parameters<typeof probeNoiseKernel>[2] = {},
): ProbeNoiseKernel {
  const whole = probeNoiseKernel({ ntk: matrix, examples, outputs: samples }, settings, options);
  const count = Math.floor(samples / 2);
  const half =
    count === 0
      ? null
      : probeNoiseKernel({ ntk: someRows(matrix, examples, samples, count), examples, outputs: count }, settings, {
          interval: false,
          ...(options.tolerance !== undefined && { tolerance: options.tolerance }),
        });
  const estimate = (norm: "exact" | "diagonal" | "highDim" | "trace", isMean: boolean): ProbeEstimate => {
    const factor = isMean ? samples / outputs : 1;
    const own = whole[norm];
    const other = half ? half[norm].value * (isMean ? count / samples : 1) : NaN;
    // What half of the rows read too much goes into the interval as it goes into the standard error.
    const bias = (2 * (other - own.value)) / own.value;
    const reachTo = (end: number): number => Math.hypot(Math.log(end / own.value), bias);
    return {
      value: factor * own.value,
      standardError: factor * Math.hypot(own.standardError, other - own.value),
      halfProbe: factor * own.halfProbe,
      extrapolated: factor * own.extrapolated,
      low: factor * (own.value === 0 ? 0 : own.value * Math.exp(-reachTo(own.low))),
      high: factor * (own.value === 0 ? 0 : own.value * Math.exp(reachTo(own.high))),
    };
  };
  return {
    ...whole,
    exact: estimate("exact", false),
    diagonal: estimate("diagonal", false),
    highDim: estimate("highDim", true),
    trace: estimate("trace", true),
  };
}

/** The kernel of the first `count` of the S rows of every example, as if they were all: scaled by S/count. */
function someRows(matrix: Float64Array, examples: number, samples: number, count: number): Float64Array {
  const size = examples * samples;
  const to = new Float64Array((examples * count) ** 2);
  let next = 0;
  for (let row = 0; row < size; row++) {
    if (row % samples >= count) continue;
    for (let column = 0; column < size; column++) {
      if (column % samples < count) to[next++] = (samples / count) * matrix[row * size + column]!;
    }
  }
  return to;
}
