import { compile, hessianVectorProduct, tensor, trainingLoop } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { direction, mlpGraph, mlpProblem } from "../data.js";
import type { Workload } from "../workload.js";

const learningRate = 0.001;

/** SGD steps on the MLP, all in one call; minibatches drawn in the call, as the peers do. */
export function trainMlp(batchSize: number, steps: number, threads: number): Workload {
  return {
    async prepare() {
      const { x, y, params } = mlpProblem();
      const loop = trainingLoop(mlpGraph(), { loss: "loss", params: Object.keys(params), data: ["x", "y"] });
      const session = await compile(loop, { threads });
      const random = createRandom("bench/batches");
      return {
        per: steps,
        async run() {
          const indices = BigInt64Array.from({ length: steps * batchSize }, () => BigInt(random.integer(1000)));
          const outputs = await session.run({
            ...params,
            x,
            y,
            indices: tensor(indices, [steps, batchSize]),
            learningRate: new Float32Array(steps).fill(learningRate),
          });
          return outputs["loss"]!.data.length;
        },
        dispose: () => session.dispose(),
      };
    },
  };
}

/** One Hessian-vector product over 512 examples; vector and product are lists like the parameters, as the peers have them. */
export const hvpMlp: Workload = {
  async prepare() {
    const { x, y, params } = mlpProblem();
    const names = Object.keys(params);
    const product = hessianVectorProduct(mlpGraph(), { of: "loss", wrt: names });
    const session = await compile(product, { threads: 2 });
    const whole = direction(names.reduce((sum, name) => sum + params[name]!.length, 0));
    let offset = 0;
    const vectors = names.map((name): [string, Float32Array] => {
      const part = whole.subarray(offset, (offset += params[name]!.length));
      return [`vector/${name}`, part];
    });
    const inputs = {
      ...params,
      x: x.subarray(0, 512 * 784),
      y: y.subarray(0, 512 * 10),
      ...Object.fromEntries(vectors),
    };
    const outputs = names.map((name) => `product/${name}`);
    const products = vectors.map(([, part]) => new Float32Array(part.length));
    const into = Object.fromEntries(outputs.map((name, i) => [name, products[i]!]));
    return {
      per: 1,
      async run() {
        await session.run(inputs, { outputs, into });
        return vectors.reduce((sum, [, part], i) => sum + dot(part, products[i]!), 0);
      },
      dispose: () => session.dispose(),
    };
  },
};

/** ⟨a, b⟩. A loop: `reduce` with its calls would take a fifth of a product's time. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
