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

/** One Hessian-vector product over 512 examples. */
export const hvpMlp: Workload = {
  async prepare() {
    const { x, y, params } = mlpProblem();
    const names = Object.keys(params);
    const product = hessianVectorProduct(mlpGraph(), { of: "loss", wrt: names, vectors: "flat" });
    const session = await compile(product, { threads: 2 });
    const vector = direction(names.reduce((sum, name) => sum + params[name]!.length, 0));
    const inputs = { ...params, x: x.subarray(0, 512 * 784), y: y.subarray(0, 512 * 10), vector };
    return {
      per: 1,
      async run() {
        const { product } = await session.run(inputs, { outputs: ["product"] });
        const hv = product!.data as Float32Array;
        return hv.reduce((sum, value, i) => sum + value * vector[i]!, 0);
      },
      dispose: () => session.dispose(),
    };
  },
};
