import { compile, scalarOf, type Graph } from "@sedge/autodiff";
import { blocksOf } from "../data/blocks.js";
import type { Split } from "../data/dataset.js";
import type { Params } from "../models/model.js";

export interface Evaluation {
  /** Mean over the split's examples. */
  readonly loss: number;
  /** Share of examples whose largest output stands where the largest target does. NaN if an output is. */
  readonly accuracy: number;
}

/** Loss and accuracy of an objective over a whole split. Holds a session: dispose of it. */
export interface Evaluator {
  evaluate(params: Params, split: Split): Promise<Evaluation>;
  dispose(): Promise<void>;
}

/**
 * @param objective  With inputs `x`, `y` and the parameters, outputs `output` [batch, C] and `loss`.
 */
export async function openEvaluator(
  objective: Graph,
  { threads = 1, blockExamples = 1024 }: { readonly threads?: number; readonly blockExamples?: number } = {},
): Promise<Evaluator> {
  const session = await compile(objective, { threads });
  return {
    async evaluate(params, split) {
      let loss = 0;
      let right = 0;
      for (const { inputs: x, targets: y, weight, examples } of blocksOf(split, blockExamples)) {
        const outputs = await session.run({ ...params, x, y }, { outputs: ["output", "loss"] });
        const output = outputs["output"]!.data as Float32Array;
        loss += weight * scalarOf(outputs["loss"]!);
        right += weight * agreement(output, y, examples);
      }
      return { loss, accuracy: right };
    },
    dispose: () => session.dispose(),
  };
}

/** Share of rows in which the largest entries of both stand in the same place. */
function agreement(output: Float32Array, targets: Float32Array, rows: number): number {
  const size = output.length / rows;
  let right = 0;
  for (let i = 0; i < rows; i++) {
    const place = largest(output, i * size, size);
    if (place === null) return NaN;
    if (place === largest(targets, i * size, size)) right++;
  }
  return right / rows;
}

/** Place of the first largest of `size` numbers, null if one of them is NaN. */
function largest(values: Float32Array, start: number, size: number): number | null {
  let best = 0;
  for (let c = 0; c < size; c++) {
    const value = values[start + c]!;
    if (Number.isNaN(value)) return null;
    if (value > values[start + best]!) best = c;
  }
  return best;
}
