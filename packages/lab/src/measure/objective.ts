import { graph, type Graph } from "@sedge/autodiff";
import type { OnnxModel } from "../models/model-from-onnx.js";
import { lossGraph, type LossLike } from "../objectives/loss-graph.js";

/** Of one example's target as a loss takes it; undefined for a named loss, whose targets are of the output's shape. */
export function targetShape(loss: LossLike): readonly number[] | undefined {
  return typeof loss === "string" ? undefined : loss.inputs["y"]!.shape.slice(1).map(Number);
}

/** A model read from a file with its loss: inputs `x`, `y` and the parameters, outputs `output` and the scalar `loss`. */
export function onnxObjective(model: OnnxModel, loss: LossLike): Graph {
  const onOutput = lossGraph(loss, model);
  return graph(
    (b) => {
      const inputs = Object.fromEntries(
        Object.entries(model.graph.inputs).map(([name, { shape, type }]) => [name, b.input(name, shape, type)]),
      );
      const output = b.call(model.graph, inputs)["output"]!;
      const y = b.input("y", ["batch", ...(targetShape(loss) ?? model.outputShape)]);
      return { output, loss: b.call(onOutput, { output, y })["loss"]! };
    },
    { name: "measured" },
  );
}
