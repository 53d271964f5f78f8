import { compile, tensor, trainingLoop } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { images, type ImageModel } from "../images.js";
import type { Workload } from "../workload.js";

const learningRate = 0.001;
const batchSize = 32;

/** SGD steps on an image network, cross-entropy, all in one call; minibatches drawn in the call, as the peers do. */
export function trainImages(model: () => ImageModel, steps: number, threads: number): Workload {
  return {
    async prepare() {
      const { graph, params } = model();
      const loop = trainingLoop(graph, { loss: "loss", params: Object.keys(params), data: ["x", "y"] });
      const session = await compile(loop, { threads });
      const { x, y } = images();
      const random = createRandom("bench/batches");
      return {
        per: steps,
        async run() {
          const indices = BigInt64Array.from({ length: steps * batchSize }, () => BigInt(random.integer(1000)));
          const outputs = await session.run(
            {
              ...params,
              x,
              y,
              indices: tensor(indices, [steps, batchSize]),
              learningRate: new Float32Array(steps).fill(learningRate),
            },
            // The weights stay behind: fetching them would copy them, once a call.
            { outputs: ["loss"] },
          );
          return outputs["loss"]!.data.length;
        },
        dispose: () => session.dispose(),
      };
    },
  };
}
