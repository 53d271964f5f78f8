/** The synthetic problems of the peers: the same shapes and distributions, seeded; the numbers drawn differ from NumPy's. */
import { graph, type Graph } from "@sedge/autodiff";
import { createRandom, type Random } from "@sedge/linalg";

export const mlpWidths = [784, 256, 256, 10] as const;

/** X [1000, 784] normal, Y one-hot [1000, 10], and weights N(0, 1/fan_in) with zero biases, all float32. */
export function mlpProblem(): { x: Float32Array; y: Float32Array; params: Record<string, Float32Array> } {
  const random = createRandom("bench/mlp");
  const x = normals(random, 1000 * 784);
  const y = new Float32Array(1000 * 10);
  for (let i = 0; i < 1000; i++) y[i * 10 + random.integer(10)] = 1;
  const params: Record<string, Float32Array> = {};
  for (let layer = 1; layer < mlpWidths.length; layer++) {
    const [inputs, outputs] = [mlpWidths[layer - 1]!, mlpWidths[layer]!];
    params[`W${layer}`] = normals(random, inputs * outputs, 1 / Math.sqrt(inputs));
    params[`b${layer}`] = new Float32Array(outputs);
  }
  return { x, y, params };
}

/** MLP 784-256-256-10 tanh with ½‖f − y‖², mean over examples. */
export function mlpGraph(): Graph {
  return graph((b) => {
    let h = b.input("x", ["batch", 784]);
    const y = b.input("y", ["batch", 10]);
    for (let layer = 1; layer < mlpWidths.length; layer++) {
      const w = b.input(`W${layer}`, [mlpWidths[layer - 1]!, mlpWidths[layer]!]);
      const z = b.dense(h, w, b.input(`b${layer}`, [mlpWidths[layer]!]));
      h = layer < mlpWidths.length - 1 ? b.tanh(z) : z;
    }
    return { output: h, loss: b.squaredLoss(h, y) };
  });
}

/** A unit vector of normals. */
export function direction(size: number): Float32Array {
  const vector = normals(createRandom("bench/direction"), size);
  const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return vector.map((x) => x / norm);
}

/** Symmetric [n, n] with normal entries of variance 1/n off the diagonal. */
export function symmetric(size: number): Float64Array {
  const random = createRandom("bench/symmetric");
  const a = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) a[i * size + j] = a[j * size + i] = random.normal() / Math.sqrt(size);
  }
  return a;
}

function normals(random: Random, size: number, scale = 1): Float32Array {
  return Float32Array.from({ length: size }, () => scale * random.normal());
}
