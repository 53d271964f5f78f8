import { createRandom, type Random } from "@sedge/linalg";
import type { Dataset, Split } from "./dataset.js";

export interface SyntheticOptions {
  readonly examples: number;
  readonly testExamples: number;
  /** Numbers in one input. Default 32. */
  readonly inputs?: number;
  /** C. Default 1. */
  readonly outputs?: number;
  /** α: eigenvalue k of the inputs' covariance is proportional to k^−α, k from 1. Default 1. */
  readonly exponent?: number;
  /** Standard deviation of the noise on the training and test targets. Default 0. */
  readonly noise?: number;
  /** Default linear. */
  readonly teacher?: "linear" | "mlp";
  /** Of the teacher and the examples. Default 0. */
  readonly seed?: number;
}

/**
 * The covariance eigenvalues of synthetic inputs, descending: k^−α scaled to mean 1, so that an input's squared length
 * is its number of entries on average, as for standardised data.
 */
export function syntheticSpectrum(inputs: number, exponent: number): Float64Array {
  const powers = Float64Array.from({ length: inputs }, (_, k) => (k + 1) ** -exponent);
  const mean = powers.reduce((sum, power) => sum + power, 0) / inputs;
  return powers.map((power) => power / mean);
}

/**
 * Regression data from a random teacher. Inputs are Gaussian, x_k ~ N(0, λ_k) with a power-law spectrum λ; a linear model
 * with squared loss therefore has Hessian eigenvalues near λ where examples are many. Targets:
 *
 *     linear   y = x·W + ε,              W_kc ~ N(0, 1/inputs)
 *     mlp      y = tanh(x·V)·W + ε,      V_kj, W_jc ~ N(0, 1/inputs), as many hidden units as inputs
 *
 * with ε ~ N(0, noise²). Training and test set have one teacher and draw from streams of their own.
 */
export function synthetic({
  examples,
  testExamples,
  inputs = 32,
  outputs = 1,
  exponent = 1,
  noise = 0,
  teacher = "linear",
  seed = 0,
}: SyntheticOptions): Dataset {
  const random = createRandom(seed).fork("synthetic");
  const deviations = syntheticSpectrum(inputs, exponent).map(Math.sqrt);
  const scaled = (name: string, size: number) =>
    random
      .fork(name)
      .normals(size)
      .map((x) => x / Math.sqrt(inputs));
  const hidden = teacher === "mlp" ? scaled("hidden", inputs * inputs) : null;
  const readout = scaled("readout", inputs * outputs);

  function split(count: number, own: Random): Split {
    const [draws, errors] = [own.fork("inputs"), own.fork("noise")];
    const x = new Float32Array(count * inputs);
    const y = new Float32Array(count * outputs);
    for (let i = 0; i < count; i++) {
      const row = x.subarray(i * inputs, (i + 1) * inputs);
      for (let k = 0; k < inputs; k++) row[k] = deviations[k]! * draws.normal();
      const features = hidden === null ? row : product(row, hidden, inputs).map(Math.tanh);
      const target = product(features, readout, outputs);
      for (let c = 0; c < outputs; c++) y[i * outputs + c] = target[c]! + (noise === 0 ? 0 : noise * errors.normal());
    }
    return { examples: count, inputs: x, targets: y };
  }
  return {
    name: "synthetic",
    description: `synthetic: ${examples} training and ${testExamples} test examples of a random ${teacher} teacher, spectrum k^-${exponent}, noise ${noise}`,
    inputShape: [inputs],
    outputs,
    train: split(examples, random.fork("train")),
    test: split(testExamples, random.fork("test")),
  };
}

/** row·matrix, [columns]. */
function product(row: ArrayLike<number>, matrix: Float64Array, columns: number): Float64Array {
  const result = new Float64Array(columns);
  for (let k = 0; k < row.length; k++) {
    for (let c = 0; c < columns; c++) result[c]! += row[k]! * matrix[k * columns + c]!;
  }
  return result;
}
