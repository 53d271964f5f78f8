import { graph, type Builder, type Graph, type Value } from "@sedge/autodiff";
import { eigh, multiply } from "@sedge/linalg";
import type { Model } from "../models/model.js";

/**
 * - `squared`: ℓ = ½‖f − y‖², summed over outputs;
 * - `mean-squared`: ℓ = ‖f − y‖²/C, the mean over outputs of (f − y)², as `torch.nn.MSELoss`;
 * - `cross-entropy`: ℓ = −Σ_c y_c log softmax(f)_c.
 *
 * The training loss is the mean of ℓ over examples.
 */
export type Loss = "squared" | "mean-squared" | "cross-entropy";

export interface ObjectiveOptions {
  /**
   * ε of a cross-entropy: targets become (1 − ε)·y + ε/C (Szegedy et al., arXiv:1512.00567), as in
   * `torch.nn.CrossEntropyLoss`. The output Hessian does not depend on it. Default 0.
   */
  readonly labelSmoothing?: number;
}

/** The model with its loss: the model's inputs and `y` [batch, C]; outputs `output` [batch, C] and `loss`, a scalar. */
export function objective(model: Model, loss: Loss, options: ObjectiveOptions = {}): Graph {
  return withLoss(model.graph, model, loss, options);
}

/** What a training step differentiates: the same, but with the statistics of the batch where the model has any. */
export function trainingObjective(model: Model, loss: Loss, options: ObjectiveOptions = {}): Graph {
  return withLoss(model.trainingGraph ?? model.graph, model, loss, options);
}

function withLoss(network: Graph, model: Model, loss: Loss, { labelSmoothing = 0 }: ObjectiveOptions): Graph {
  return graph(
    (b) => {
      const inputs = Object.fromEntries(
        Object.entries(network.inputs).map(([name, value]) => [name, b.input(name, value.shape, value.type)]),
      );
      const y = b.input("y", ["batch", model.outputs]);
      const results = b.call(network, inputs);
      return { ...results, loss: lossOf(b, loss, results["output"]!, y, model.outputs, labelSmoothing) };
    },
    { name: `${network.name}-${loss}` },
  );
}

function lossOf(b: Builder, loss: Loss, output: Value, y: Value, outputs: number, labelSmoothing: number): Value {
  switch (loss) {
    case "squared":
      return b.squaredLoss(output, y);
    case "mean-squared":
      return b.mul(b.squaredLoss(output, y), 2 / outputs);
    case "cross-entropy": {
      const smoothed = labelSmoothing === 0 ? y : b.add(b.mul(y, 1 - labelSmoothing), labelSmoothing / outputs);
      return b.crossEntropy(output, smoothed);
    }
  }
}

/**
 * H_i^{1/2}, the symmetric root of each example's output Hessian ∇²_f ℓ, with which a Jacobian is multiplied where the
 * loss is not squared (theory.md §1): √(2/C) times the identity for mean-squared. For cross-entropy H_i = diag(p) − p pᵀ with p = softmax(f_i).
 *
 * @param output  Row-major `[examples, outputs]`.
 * @returns       Row-major `[examples, outputs, outputs]`; null for the squared loss, whose root is the identity.
 */
export function outputHessianRoots(loss: Loss, output: ArrayLike<number>, outputs: number): Float64Array | null {
  if (loss === "squared") return null;
  const examples = output.length / outputs;
  const roots = new Float64Array(examples * outputs * outputs);
  if (loss === "mean-squared") {
    const root = Math.sqrt(2 / outputs);
    return roots.map((_, k) => (Math.floor(k / outputs) % outputs === k % outputs ? root : 0));
  }
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
export function symmetricRoot(matrix: Float64Array, size: number): Float64Array {
  const { values, vectors } = eigh(matrix, size);
  const least = 4 * size * Number.EPSILON * values[size - 1]!;
  const scaled = vectors.map((entry, k) => {
    const value = values[k % size]!;
    return value > least ? entry * Math.sqrt(value) : 0;
  });
  return multiply(scaled, vectors, { rows: size, inner: size, columns: size, transposeB: true });
}
