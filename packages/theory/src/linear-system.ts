import { eigh, multiplyInto, multiplySymmetric } from "@sedge/linalg";
import { checkInteger, describe, finiteArray, TheoryRangeError, TheoryTypeError } from "./errors.js";
import { scratch } from "./scratch.js";
import { checkOptions } from "./settings.js";

export interface LinearSystemInput {
  /** J = ∂f/∂θ, [N·C, P] row-major, rows example-major. Give this or `ntk`. */
  readonly jacobian?: ArrayLike<number>;
  /** Θ = J Jᵀ/N, [N·C, N·C] row-major. Asymmetry and negative eigenvalues of single-precision rounding are tolerated. */
  readonly ntk?: ArrayLike<number>;
  /** N. */
  readonly examples: number;
  /** C, outputs of each example. Default 1. */
  readonly outputs?: number;
}

/** The eigenpairs of the neural tangent kernel Θ = J Jᵀ/N: all that the theory needs to know of a model. Plain data. */
export interface LinearSystem {
  /** N. */
  readonly examples: number;
  /** C. */
  readonly outputs: number;
  /** N·C. */
  readonly size: number;
  /** All N·C eigenvalues of Θ, ascending. Those that are round-off, below N·C·1e-14·λ_max, are exactly 0. */
  readonly spectrum: Float64Array;
  readonly lambdaMax: number;
  /** tr Θ. */
  readonly trace: number;
  /** Number of eigenvalues above 0. */
  readonly rank: number;
  /** Those eigenvalues, ascending, [rank]. */
  readonly eigenvalues: Float64Array;
  /** V, their unit eigenvectors, [N·C, rank] row-major: column k belongs to `eigenvalues[k]`. */
  readonly modes: Float64Array;
}

/** What a kernel computed in single precision may be off by, relative to its largest entry or eigenvalue. */
const SINGLE_PRECISION_NOISE = 1e-5;

/**
 * A linear least-squares problem, or a network's linearisation, seen through its neural tangent kernel.
 *
 * Costs one symmetric eigendecomposition of size min(N·C, P).
 *
 * @throws TheoryRangeError or TheoryTypeError if sizes do not match, an entry is not finite, or the kernel is not symmetric
 *   or not positive semidefinite by more than single-precision rounding
 */
export function linearSystem(input: LinearSystemInput): LinearSystem {
  const where = "linearSystem";
  checkOptions(where, "input", input);
  const { examples, outputs = 1, jacobian, ntk } = input;
  checkInteger(where, "examples", examples, 1);
  checkInteger(where, "outputs", outputs, 1);
  const size = examples * outputs;
  if (jacobian !== undefined && ntk !== undefined)
    throw new TheoryTypeError(`${where}: expected jacobian or ntk, got both.`);
  if (ntk !== undefined) return fromKernel(symmetricKernel(where, ntk, size), examples, outputs);
  const { values, params } = checkJacobian(where, jacobian, size);
  return (
    (params < size ? fromSmallJacobian(values, params, examples, outputs) : undefined) ??
    fromKernel(kernelOfJacobian(values, size, params, examples), examples, outputs)
  );
}

/** J as numbers and its number of columns, P. `jacobian` must hold N·C rows of P ≥ 1 finite numbers. */
export function checkJacobian(where: string, jacobian: unknown, size: number) {
  const length = (jacobian as ArrayLike<number> | null | undefined)?.length ?? 0;
  const params = Math.max(1, Math.floor(length / size));
  const values = finiteArray(where, "jacobian", jacobian, size * params, `rows × params = ${size} × ${params}`);
  return { values, params };
}

/** Θ = J Jᵀ/N, [size, size]. */
function kernelOfJacobian(jacobian: Float64Array, size: number, params: number, examples: number): Float64Array {
  return scaled(multiplySymmetric(jacobian, jacobian, { size, inner: params, transposeB: true }), 1 / examples);
}

/** The symmetric part of a kernel that is symmetric but for rounding, in scratch space. */
function symmetricKernel(where: string, ntk: unknown, size: number): Float64Array {
  const given = finiteArray(where, "ntk", ntk, size * size, `size × size = ${size} × ${size}`);
  const kernel = scratch("kernel", size * size);
  let largest = 0;
  for (const entry of given) largest = Math.max(largest, Math.abs(entry));
  const tolerated = SINGLE_PRECISION_NOISE * largest;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const lower = given[i * size + j]!;
      const upper = given[j * size + i]!;
      if (Math.abs(lower - upper) > tolerated)
        throw new TheoryRangeError(
          `${where}: ntk: expected a symmetric matrix, got ${lower} at row ${i}, column ${j} and ${upper} at row ${j}, column ${i}.`,
        );
      kernel[i * size + j] = kernel[j * size + i] = 0.5 * (lower + upper);
    }
  }
  return kernel;
}

function fromKernel(kernel: Float64Array, examples: number, outputs: number): LinearSystem {
  const size = examples * outputs;
  let trace = 0;
  for (let i = 0; i < size; i++) trace += kernel[i * size + i]!;
  const { values, vectors } = eigh(kernel, size);
  const lambdaMax = Math.max(0, values[size - 1]!);
  if (values[0]! < -SINGLE_PRECISION_NOISE * lambdaMax || (lambdaMax === 0 && values[0]! < 0))
    throw new TheoryRangeError(
      `linearSystem: ntk: expected a positive semidefinite matrix, got an eigenvalue of ${values[0]} beside a largest of ${values[size - 1]}.`,
    );
  const { spectrum, rank } = withoutRoundOff(values, size, lambdaMax);
  const eigenvalues = spectrum.slice(size - rank);
  const modes = rank === size ? vectors : lastColumns(vectors, size, rank);
  return { examples, outputs, size, spectrum, lambdaMax, trace, rank, eigenvalues, modes };
}

/**
 * With fewer parameters than residuals, from the P × P matrix G = JᵀJ/N: its eigenpairs (λ, u) give v = J u/√(Nλ).
 * The division magnifies rounding for tiny λ, so an ill-conditioned G is left to the kernel itself.
 */
function fromSmallJacobian(
  jacobian: Float64Array,
  params: number,
  examples: number,
  outputs: number,
): LinearSystem | undefined {
  const size = examples * outputs;
  const gram = multiplySymmetric(jacobian, jacobian, { size: params, inner: size, transposeA: true });
  const { values, vectors } = eigh(scaled(gram, 1 / examples), params);
  const lambdaMax = values[params - 1]!;
  if (!(values[0]! > 1e-6 * lambdaMax)) return undefined;
  const modes = new Float64Array(size * params);
  multiplyInto(modes, jacobian, vectors, { rows: size, inner: params, columns: params });
  const scales = values.map((lambda) => 1 / Math.sqrt(examples * lambda));
  for (let i = 0; i < size; i++) for (let k = 0; k < params; k++) modes[i * params + k]! *= scales[k]!;
  const spectrum = new Float64Array(size);
  spectrum.set(values, size - params);
  const trace = values.reduce((sum, lambda) => sum + lambda, 0);
  return { examples, outputs, size, spectrum, lambdaMax, trace, rank: params, eigenvalues: values.slice(), modes };
}

function withoutRoundOff(values: Float64Array, size: number, lambdaMax: number) {
  const zero = size * 1e-14 * lambdaMax;
  const spectrum = values.map((lambda) => (lambda > zero ? lambda : 0));
  let rank = size;
  while (rank > 0 && spectrum[size - rank] === 0) rank--;
  return { spectrum, rank };
}

function lastColumns(matrix: Float64Array, size: number, count: number): Float64Array {
  const result = new Float64Array(size * count);
  for (let i = 0; i < size; i++) result.set(matrix.subarray((i + 1) * size - count, (i + 1) * size), i * count);
  return result;
}

function scaled(matrix: Float64Array, factor: number): Float64Array {
  for (let i = 0; i < matrix.length; i++) matrix[i]! *= factor;
  return matrix;
}

/** Throws unless `system` came from `linearSystem`. */
export function checkSystem(where: string, system: unknown): asserts system is LinearSystem {
  const { modes, eigenvalues, size, rank } = (system ?? {}) as Partial<LinearSystem>;
  if (modes instanceof Float64Array && eigenvalues instanceof Float64Array && modes.length === size! * rank!) return;
  throw new TheoryTypeError(`${where}: system: expected the result of linearSystem, got ${describe(system)}.`);
}
