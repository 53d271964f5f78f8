import { createRandom, eigh, multiply, multiplySymmetric, type Random } from "@sedge/linalg";
import { checkInteger, checkNumber, finiteArray, TheoryRangeError, TheoryTypeError } from "../errors.js";
import { checkOptions } from "../settings.js";

/** z(θ)_i = z_i + J_i·θ + ½ θᵀQ_iθ, one output an example: quadratic regression. Plain data. */
export interface QuadraticModel {
  /** D. */
  readonly examples: number;
  /** P. */
  readonly params: number;
  /** J at θ = 0, [D, P]. */
  readonly jacobian: Float64Array;
  /** z at θ = 0, [D]. */
  readonly residual: Float64Array;
  /** Q, [D, P, P], symmetric in its last two indices. */
  readonly curvature: Float64Array;
}

/**
 * The variance V of the entries of Q in the direction of a singular vector of J, as a function of the singular value σ of J:
 * "flat" is V = 1, "scaled" V = σ. All times `curvature`².
 */
export type Weighting = "flat" | "scaled" | ((singularValue: number) => number);

export interface RandomQuadraticModelOptions {
  /** D. */
  readonly examples: number;
  /** P, at least D if `singularValues` are given. */
  readonly params: number;
  /** Standard deviation of an off-diagonal entry of Q, before `weighting`. */
  readonly curvature: number;
  /** Default "flat". */
  readonly weighting?: Weighting | undefined;
  /** J, [D, P]. Default: independent normal entries of variance 1/P, or as `singularValues` say. */
  readonly jacobian?: ArrayLike<number> | undefined;
  /** σ of J, [D], with random singular vectors. */
  readonly singularValues?: ArrayLike<number> | undefined;
  /** z, [D]. Default: independent standard normals. */
  readonly residual?: ArrayLike<number> | undefined;
  readonly seed: number | string;
}

/**
 * A random quadratic regression model. With J = Σ_γ σ_γ w_γ φ_γᵀ, Q_i = Σ_γ w_γi Q_γ and the Q_γ independent members of the Gaussian
 * orthogonal ensemble: entries N(0, V(σ_γ)·curvature²), twice that on the diagonal, so that no basis of θ is special.
 *
 * @throws TheoryRangeError or TheoryTypeError for anything out of range
 */
export function randomQuadraticModel(options: RandomQuadraticModelOptions): QuadraticModel {
  const where = "randomQuadraticModel";
  checkOptions(where, "options", options);
  const { examples, params, curvature, weighting = "flat", seed } = options;
  checkInteger(where, "examples", examples, 1);
  checkInteger(where, "params", params, 1);
  checkNumber(where, "curvature", curvature, (x) => x >= 0 && Number.isFinite(x), "a finite number of at least 0");
  if (options.jacobian !== undefined && options.singularValues !== undefined)
    throw new TheoryTypeError(`${where}: expected jacobian or singularValues, got both.`);
  const rng = createRandom(seed);
  const jacobian = modelJacobian(where, options, rng.fork("jacobian"));
  const residual =
    options.residual === undefined
      ? rng.fork("residual").normals(examples)
      : finiteArray(where, "residual", options.residual, examples, "examples").slice();
  const entries = rng.fork("curvature");
  const tensor = new Float64Array(examples * params * params);
  const scales = new Float64Array(examples).fill(curvature);
  if (weighting === "flat") {
    // Rotating independent members of the ensemble among themselves gives the same again.
    for (let i = 0; i < examples; i++) drawSymmetric(tensor, i * params * params, params, scales[i]!, entries);
    return { examples, params, jacobian, residual, curvature: tensor };
  }
  const { values, vectors } = leftSingularVectors(jacobian, examples, params);
  values.forEach((sigma, gamma) => (scales[gamma]! *= Math.sqrt(weight(where, weighting, sigma))));
  for (let gamma = 0; gamma < examples; gamma++)
    drawSymmetric(tensor, gamma * params * params, params, scales[gamma]!, entries);
  const rotated = multiply(vectors, tensor, { rows: examples, inner: examples, columns: params * params });
  return { examples, params, jacobian, residual, curvature: rotated };
}

/** V(σ), checked. */
export function weight(where: string, weighting: Weighting, sigma: number): number {
  const value = weighting === "flat" ? 1 : weighting === "scaled" ? sigma : weighting(sigma);
  checkNumber(where, "weighting", value, (x) => x >= 0 && Number.isFinite(x), "finite variances of at least 0");
  return value;
}

/** Singular values of J, ascending, [D], and its left singular vectors as columns, [D, D]. */
export function leftSingularVectors(jacobian: Float64Array, examples: number, params: number) {
  const gram = multiplySymmetric(jacobian, jacobian, { size: examples, inner: params, transposeB: true });
  const { values, vectors } = eigh(gram, examples);
  return { values: values.map((lambda) => Math.sqrt(Math.max(0, lambda))), vectors };
}

function modelJacobian(where: string, options: RandomQuadraticModelOptions, rng: Random): Float64Array {
  const { examples, params, singularValues } = options;
  const length = examples * params;
  if (options.jacobian !== undefined)
    return finiteArray(
      where,
      "jacobian",
      options.jacobian,
      length,
      `examples × params = ${examples} × ${params}`,
    ).slice();
  const normals = rng.normals(length);
  if (singularValues === undefined) return normals.map((x) => x / Math.sqrt(params));
  const sigma = finiteArray(where, "singularValues", singularValues, examples, "examples");
  if (params < examples)
    throw new TheoryRangeError(`${where}: params: expected at least examples = ${examples}, got ${params}.`);
  // Both sets of singular vectors of a Gaussian matrix are uniformly distributed: J = W diag(σ/σ₀) Wᵀ J₀.
  const { values, vectors } = leftSingularVectors(normals, examples, params);
  const scaled = vectors.map((entry, at) => (entry * sigma[at % examples]!) / values[at % examples]!);
  const square = { rows: examples, inner: examples, columns: examples, transposeB: true };
  return multiply(multiply(scaled, vectors, square), normals, { rows: examples, inner: examples, columns: params });
}

/** A member of the Gaussian orthogonal ensemble, [size, size] from `at` on: standard deviation `scale` off the diagonal. */
function drawSymmetric(target: Float64Array, at: number, size: number, scale: number, rng: Random): void {
  for (let p = 0; p < size; p++) {
    target[at + p * size + p] = Math.SQRT2 * scale * rng.normal();
    for (let q = 0; q < p; q++) target[at + p * size + q] = target[at + q * size + p] = scale * rng.normal();
  }
}

/** Throws unless `model` is a QuadraticModel with arrays of the right sizes. */
export function checkModel(where: string, model: unknown): asserts model is QuadraticModel {
  checkOptions(where, "model", model);
  const { examples, params, jacobian, residual, curvature } = model as QuadraticModel;
  checkInteger(where, "model.examples", examples, 1);
  checkInteger(where, "model.params", params, 1);
  finiteArray(where, "model.jacobian", jacobian, examples * params, `examples × params = ${examples} × ${params}`);
  finiteArray(where, "model.residual", residual, examples, "examples");
  finiteArray(where, "model.curvature", curvature, examples * params * params, "examples × params × params");
}
