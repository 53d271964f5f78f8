import { graph, type Graph } from "@sedge/autodiff";
import type { OnnxModel } from "../models/model-from-onnx.js";
import { lossGraph, type LossLike } from "../objectives/loss-graph.js";

/** A model read from a file with its loss: inputs `x`, `y` and the parameters, outputs `output` and the scalar `loss`. */
export function onnxObjective(model: OnnxModel, loss: LossLike): Graph {
  const onOutput = lossGraph(loss, model);
  return graph(
    (b) => {
      const inputs = Object.fromEntries(
        Object.entries(model.graph.inputs).map(([name, { shape, type }]) => [name, b.input(name, shape, type)]),
      );
      const output = b.call(model.graph, inputs)["output"]!;
      const y = b.input("y", ["batch", ...model.outputShape]);
      return { output, loss: b.call(onOutput, { output, y })["loss"]! };
    },
    { name: "measured" },
  );
}
