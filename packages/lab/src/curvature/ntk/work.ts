/** What measuring a kernel takes, known before it is done. */
import { sizeOf } from "../../models/model.js";
import { gramWork, kernelWork, passWork } from "./cost.js";
import { partSize } from "./rules/rules.js";
import { tapModel, type DifferentiableModel } from "./tapped-model.js";

/**
 * Multiply-adds of a model's kernel for n examples and S rows each: the passes through its layers, and the products. A core
 * of 2024 does some 2·10¹⁰ a second of them. Normalisations and activations are not counted.
 *
 * @param sizes  Of one example of each data input, as `tapModel` takes them.
 */
export function measurementWork(
  model: DifferentiableModel,
  sizes: Readonly<Record<string, readonly number[]>>,
): (examples: number, directions: number) => number {
  const tapped = tapModel(model, sizes);
  return (examples, directions) => {
    const kernel = { examples, directions, isPreconditioned: false };
    const layered = tapped.layered.flatMap(({ uses }) => uses.map(partSize));
    const known = layered.reduce(
      (sum, part) => sum + (part ? kernelWork(part, kernel) + passWork(part, kernel) : 0),
      0,
    );
    return tapped.generic.reduce((sum, { shape }) => sum + gramWork(sizeOf(shape), kernel), known);
  };
}
