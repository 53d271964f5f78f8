import { graph, type Graph } from "@sedge/autodiff";
import { eigh, multiply } from "@sedge/linalg";
import type { Model } from "../models/model.js";

/**
 * - `squared`: ℓ = ½‖f − y‖², summed over outputs;
 * - `cross-entropy`: ℓ = −Σ_c y_c log softmax(f)_c.
 *
 * The training loss is the mean of ℓ over examples.
 */
export type Loss = "squared" | "cross-entropy";

/** The model with its loss: the model's inputs and `y` [batch, C]; outputs `output` [batch, C] and `loss`, a scalar. */
export function objective(model: Model, loss: Loss): Graph {
  return graph(
    (b) => {
      const inputs = Object.fromEntries(
        Object.entries(model.graph.inputs).map(([name, value]) => [name, b.input(name, value.shape, value.type)]),
      );
      const y = b.input("y", ["batch", model.outputs]);
      const output = b.call(model.graph, inputs)["output"]!;
      return { output, loss: loss === "squared" ? b.squaredLoss(output, y) : b.crossEntropy(output, y) };
    },
    { name: `${model.graph.name}-${loss}` },
  );
}

/**
 * H_i^{1/2}, the symmetric root of each example's output Hessian ∇²_f ℓ, with which a Jacobian is multiplied where the
 * loss is not squared (theory.md §1). For cross-entropy H_i = diag(p) − p pᵀ with p = softmax(f_i).
 *
 * @param output  Row-major `[examples, outputs]`.
 * @returns       Row-major `[examples, outputs, outputs]`; null for the squared loss, whose root is the identity.
 */
export function outputHessianRoots(loss: Loss, output: ArrayLike<number>, outputs: number): Float64Array | null {
  if (loss === "squared") return null;
  const examples = output.length / outputs;
  const roots = new Float64Array(examples * outputs * outputs);
  for (let i = 0; i < examples; i++) {
    const p = softmax(Array.from({ length: outputs }, (_, c) => output[i * outputs + c]!));
    roots.set(symmetricRoot(softmaxHessian(p), outputs), i * outputs * outputs);
  }
  return roots;
}

function softmaxHessian(p: readonly number[]): Float64Array {
  const size = p.length;
  return Float64Array.from({ length: size * size }, (_, k) => {
    const [a, c] = [Math.floor(k / size), k % size];
    // Σ_{b≠a} p_b for 1 − p_a, which loses its digits where one probability is nearly 1.
    return a === c ? p[a]! * p.reduce((sum, q, b) => (b === a ? sum : sum + q), 0) : -p[a]! * p[c]!;
  });
}

function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** V √Λ Vᵀ. What is round-off beside the largest eigenvalue counts as zero: its root would be 1e-8 of the whole. */
function symmetricRoot(matrix: Float64Array, size: number): Float64Array {
  const { values, vectors } = eigh(matrix, size);
  const least = 4 * size * Number.EPSILON * values[size - 1]!;
  const scaled = vectors.map((entry, k) => {
    const value = values[k % size]!;
    return value > least ? entry * Math.sqrt(value) : 0;
  });
  return multiply(scaled, vectors, { rows: size, inner: size, columns: size, transposeB: true });
}
