/**
 * How the size of a layer sets the scale of its weights, at the start and in every update.
 *
 * An abc-parameterisation (Yang and Hu, arXiv:2011.14522) has for each weight a forward multiplier a, a standard
 * deviation b at the start and a learning-rate multiplier c. One number of the three is free: with
 *
 *     SGD   (a, b, c) ~ (a·s, b/s, c/s²)          Adam   (a, b, c) ~ (a·s, b/s, c/s)        for any s > 0
 *
 * training is the same function of time (Adam up to its ε). Sedge uses that freedom to set every c = 1. All parameters
 * then have one learning rate η, and both edges, η λ_max and K, mean what they mean for any other model.
 */
export type Parameterization = "standard" | "ntk" | "mup";

/** Which symmetry holds: Adam, AdamW and RMSProp divide the gradient by its own size, SGD does not. */
export type OptimizerFamily = "sgd" | "adam";

export interface ParameterizationOptions {
  /**
   * - `standard`: deviation gain/√fan-in, multiplier 1.
   * - `ntk`: deviation 1, multiplier gain/√fan-in (Jacot, Gabriel and Hongler, arXiv:1806.07572).
   * - `mup`: maximal update, with which training depends least on width; equal to `standard` at the base width.
   *
   * Default `standard`.
   */
  readonly parameterization?: Parameterization;
  /** What will train the model: `mup` depends on it. Default `sgd`. */
  readonly family?: OptimizerFamily;
}

/** A weight matrix, or a kernel. */
export interface WeightRole {
  /** Numbers that go into one of its outputs. */
  readonly fanIn: number;
  /** The input's and output's width over the base width; 1 where it is set by the data: pixels, classes. */
  readonly ratio: { readonly in: number; readonly out: number };
  /** Of the model's outputs. */
  readonly last: boolean;
  /** Wanted deviation of the output over that of the input, at the base width. */
  readonly gain: number;
}

export interface Scales {
  /** a: the weight is multiplied by it wherever it is used. */
  readonly forward: number;
  /** b: standard deviation at the start. */
  readonly deviation: number;
}

/**
 * Multiplier and deviation of a weight.
 *
 * For `mup`, with r the ratios, Table 3 of Yang et al. (Tensor Programs V, arXiv:2203.03466) gives deviation and
 * learning rate without a multiplier:
 *
 *     first layer   b = g/√fan-in            c = r_out (SGD),         1       (Adam)
 *     hidden        b = g/√fan-in            c = r_out/r_in,          1/r_in
 *     last layer    b = g/√fan-in · 1/√r_in  c = 1/r_in,              1/r_in
 *
 * and the symmetry turns c into a = √c for SGD, a = c for Adam, with b/a for the deviation.
 */
export function weightScales(
  { fanIn, ratio, last, gain }: WeightRole,
  { parameterization = "standard", family = "sgd" }: ParameterizationOptions,
): Scales {
  const usual = gain / Math.sqrt(fanIn);
  if (parameterization === "standard") return { forward: 1, deviation: usual };
  if (parameterization === "ntk") return { forward: usual, deviation: 1 };
  const forward = family === "sgd" ? Math.sqrt(ratio.out / ratio.in) : 1 / ratio.in;
  return { forward, deviation: (last ? usual / Math.sqrt(ratio.in) : usual) / forward };
}

/**
 * Multiplier of a bias, a normalisation's scale or a position's embedding: what is added to or multiplies an activation
 * of width ratio `ratio`, and whose effective size at the start does not depend on width. Table 3: c = r_out for SGD, 1
 * for Adam. Its value at the start is divided by the multiplier.
 */
export function vectorMultiplier(
  ratio: number,
  { parameterization = "standard", family = "sgd" }: ParameterizationOptions,
): number {
  return parameterization === "mup" && family === "sgd" ? Math.sqrt(ratio) : 1;
}
