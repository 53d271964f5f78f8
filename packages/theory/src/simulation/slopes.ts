import type { QuadraticModel } from "./quadratic-model.js";
import { BLOCK, release, slopeKernels, WORD } from "./slope-kernel.js";

/** Residuals and slopes of a quadratic model at the parameters of several walkers. */
export interface Slopes {
  /** θ and a sum of gradients of each walker, [P]; zero at first. */
  readonly params: readonly Float64Array[];
  readonly gradients: readonly Float64Array[];
  /** Adds z_i(θ) J_i(θ) to the gradient of each of the walkers. */
  readonly pull: (example: number, walkers: readonly number[]) => void;
  /** @returns z_i(θ); `slope` becomes J_i(θ) */
  readonly look: (example: number, walker: number, slope: Float64Array | undefined) => number;
  /** To be called last: the arrays are then another's. */
  readonly release: () => void;
}

/**
 * z_i(θ) = z_i + ½(J_i + J_i(θ))·θ and J_i(θ) = J_i + Q_iθ: for a quadratic, the mean of the slopes at both ends is the slope between.
 * In WebAssembly where there is SIMD.
 */
export function slopes(model: QuadraticModel, walkers: number): Slopes {
  const { examples, params, residual, jacobian, curvature } = model;
  // In words: θ and gradients of the walkers, then two results, two values, z, J and Q, rows padded.
  const stride = Math.ceil(params / BLOCK) * BLOCK;
  const gradientsAt = walkers * stride;
  const results = gradientsAt + walkers * stride;
  const values = results + 2 * stride;
  const constants = values + 2;
  const bases = constants + examples;
  const matrices = bases + examples * stride;
  const kernels = slopeKernels(matrices + examples * params * stride);
  if (kernels === null) return plainSlopes(model, walkers);
  const { memory, one, two } = kernels;
  memory.set(residual, constants);
  setRows(memory, bases, stride, jacobian, params);
  setRows(memory, matrices, stride, curvature, params);
  const rowsOf = (at: number): Float64Array[] =>
    Array.from({ length: walkers }, (_, w) => memory.subarray(at + w * stride, at + w * stride + params));
  const result = memory.subarray(results, results + params);

  const run = (kernel: typeof one, example: number, ...thetasAndGradients: number[]): void =>
    kernel(
      ...[(matrices + example * params * stride) * WORD, stride * WORD, params, stride / BLOCK],
      ...[(bases + example * stride) * WORD, (constants + example) * WORD, results * WORD, values * WORD],
      ...thetasAndGradients,
    );
  const theta = (walker: number): number => walker * stride * WORD;
  const gradient = (walker: number): number => (gradientsAt + walker * stride) * WORD;
  return {
    params: rowsOf(0),
    gradients: rowsOf(gradientsAt),
    pull(example, of) {
      let w = 0;
      for (; w + 2 <= of.length; w += 2)
        run(two, example, theta(of[w]!), gradient(of[w]!), theta(of[w + 1]!), gradient(of[w + 1]!));
      if (w < of.length) run(one, example, theta(of[w]!), gradient(of[w]!));
    },
    look(example, walker, slope) {
      run(one, example, theta(walker), 0);
      slope?.set(result);
      return memory[values]!;
    },
    release: () => release(kernels),
  };
}

/** Rows of `length` numbers, `stride` apart. */
function setRows(memory: Float64Array, at: number, stride: number, rows: Float64Array, length: number): void {
  if (stride === length) memory.set(rows, at);
  else
    for (let from = 0; from < rows.length; from += length, at += stride)
      memory.set(rows.subarray(from, from + length), at);
}

/** `slopes` without WebAssembly, with the same results to the last bit. */
export function plainSlopes({ params, residual, jacobian, curvature }: QuadraticModel, walkers: number): Slopes {
  const thetas = Array.from({ length: walkers }, () => new Float64Array(params));
  const gradients = thetas.map((theta) => theta.slice());
  const result = new Float64Array(params);
  const look = (example: number, walker: number): number => {
    const theta = thetas[walker]!;
    const base = example * params;
    result.set(jacobian.subarray(base, base + params));
    let at = base * params;
    for (let p = 0; p < params; p++) {
      const factor = theta[p]!;
      for (let q = 0; q < params; q++) result[q]! += factor * curvature[at++]!;
    }
    // Sums of the even and of the odd entries, as two lanes take them.
    const sums: [number, number] = [0, 0];
    for (let p = 0; p < params; p++) sums[p % 2]! += (jacobian[base + p]! + result[p]!) * theta[p]!;
    return residual[example]! + 0.5 * (sums[0] + sums[1]);
  };
  return {
    params: thetas,
    gradients,
    pull(example, of) {
      for (const walker of of) {
        const value = look(example, walker);
        const gradient = gradients[walker]!;
        for (let p = 0; p < params; p++) gradient[p]! += value * result[p]!;
      }
    },
    look(example, walker, slope) {
      const value = look(example, walker);
      slope?.set(result);
      return value;
    },
    release: () => undefined,
  };
}
