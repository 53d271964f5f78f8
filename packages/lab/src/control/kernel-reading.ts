import { deterministicLimit, exactNoiseKernel, linearSystem, type SgdSettings } from "@sedge/theory";
import { conjugateBlocks } from "../curvature/noise-kernel.js";
import type { Ntk } from "../curvature/ntk/ntk.js";
import { outputHessianRoots, type Loss } from "../objectives/objective.js";

/** Relative accuracy of K at which its solver stops: its sampling error is far larger. */
const tolerance = 1e-3;

export interface KernelReading {
  /** K exact; Infinity past the deterministic edge of the probe. */
  readonly value: number;
  /** Half the difference of the probe's two halves; NaN where one is past the deterministic edge. */
  readonly standardError: number;
  readonly deterministicRatio: number;
  /** To start the next measurement of the same probe from. */
  readonly perron: Float64Array;
}

/**
 * K exact alone, as a controller needs it: what `estimateNoiseKernel` gives, without the other norms and no more accurate than
 * a probe's error bar calls for.
 *
 * @param start  The `perron` of the measurement before.
 */
export function kernelReading(
  { matrix, examples, outputs, output }: Ntk,
  loss: Loss,
  settings: SgdSettings & { readonly population: number },
  start?: Float64Array,
): KernelReading {
  const roots = outputHessianRoots(loss, output, outputs);
  const ntk = roots === null ? matrix : conjugateBlocks(matrix, roots, examples, outputs);
  const system = linearSystem({ ntk, examples, outputs });
  const { value, perron } = exactNoiseKernel(system, settings, { tolerance, start: unlessZero(start) });
  const count = Math.floor(examples / 2);
  const [a = NaN, b = NaN] = [0, examples - count].map((first) => {
    const half = diagonalBlock(ntk, examples * outputs, first * outputs, count * outputs, examples / count);
    const blocks = perron.slice(first * outputs ** 2, (first + count) * outputs ** 2);
    const options = { tolerance, start: unlessZero(blocks) };
    return exactNoiseKernel(linearSystem({ ntk: half, examples: count, outputs }), settings, options).value;
  });
  const { learningRate, weightDecay = 0, momentum = 0, nesterov = false } = settings;
  return {
    ...{ value, perron, standardError: Math.abs(a - b) / 2 },
    deterministicRatio: (learningRate * (system.lambdaMax + weightDecay)) / deterministicLimit({ momentum, nesterov }),
  };
}

const unlessZero = (blocks: Float64Array | undefined) => (blocks?.some((x) => x !== 0) ? blocks : undefined);

/** Θ of some examples alone is their block of Θ, times n over their number. */
function diagonalBlock(matrix: Float64Array, size: number, first: number, count: number, factor: number): Float64Array {
  const block = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) block[i * count + j] = factor * matrix[(first + i) * size + first + j]!;
  }
  return block;
}
