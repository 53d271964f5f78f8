import { graph, type Graph, type Shape } from "@sedge/autodiff";
import { BadInput } from "../errors.js";
import type { Loss } from "./objective.js";

/**
 * A loss by name; or as a graph with the inputs `output` [n, …] and `y` [n, …], and the scalar output `loss`, a mean over
 * examples.
 */
export type LossLike = Loss | Graph;

/** What of a model a loss is put on. */
interface ModelOutput {
  readonly graph: Graph;
  readonly outputs: number;
}

/**
 * The loss as a graph of the model's output. The named ones take targets of the output's shape, and see outputs of several
 * axes, such as the logits of tokens, as one example's: cross-entropy is then the mean over all axes but the last.
 *
 * @throws BadInput if a graph has other inputs or outputs.
 */
export function lossGraph(loss: LossLike, { graph: model, outputs }: ModelOutput): Graph {
  const { shape, type } = model.outputs["output"]!;
  if (typeof loss === "string") {
    const free: Shape = shape.map((dim, axis) => (axis === 0 ? "batch" : dim));
    return graph(
      (b) => {
        const output = b.input("output", free, type);
        const y = b.input("y", free, type);
        if (loss !== "cross-entropy") {
          const squared = b.squaredLoss(output, y);
          return { loss: loss === "squared" ? squared : b.mul(squared, 2 / outputs) };
        }
        const rows = (value: typeof y) => (shape.length === 2 ? value : b.reshape(value, [-1, shape.at(-1)!]));
        return { loss: b.crossEntropy(rows(output), rows(y)) };
      },
      { name: loss },
    );
  }
  const names = Object.keys(loss.inputs);
  const isGood =
    names.length === 2 && "output" in loss.inputs && "y" in loss.inputs && loss.outputs["loss"]?.shape.length === 0;
  if (!isGood) {
    throw new BadInput(
      `loss: expected a graph with inputs "output" and "y" and a scalar output "loss", got inputs ${names.join(", ")} ` +
        `and outputs ${Object.keys(loss.outputs).join(", ")}.`,
    );
  }
  return { ...loss, outputs: { loss: loss.outputs["loss"]! } };
}
