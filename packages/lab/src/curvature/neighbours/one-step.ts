import { compile, scalarOf, type Graph } from "@sedge/autodiff";
import { blocksOf } from "../../data/blocks.js";
import type { Split } from "../../data/dataset.js";
import { breathe } from "../../event-loop.js";
import type { Params, ParamSpec } from "../../models/model.js";
import type { SymmetricOperator } from "../curvature-operator.js";
import { inner } from "./vectors.js";

/** What one step θ − η d does to the loss. */
export interface OneStepChange {
  /** L(θ − ηd) − L(θ), in float64. */
  readonly measured: number;
  /** −η gᵀd + ½η² dᵀHd: what a quadratic loss would do. Their difference is the loss's higher order. */
  readonly predicted: number;
}

export interface OneStepInput {
  readonly params: Params;
  readonly split: Split;
  readonly learningRate: number;
  /** g, [P]. */
  readonly gradient: Float64Array;
  /** d, [P]. Default g: a step of full-batch gradient descent. */
  readonly direction?: Float64Array;
  /** At `params`. */
  readonly hessian: SymmetricOperator;
  readonly signal?: AbortSignal | undefined;
}

/** Measures what a step does to the loss. Holds a session: dispose of it. */
export interface OneStepEstimator {
  measure(input: OneStepInput): Promise<OneStepChange>;
  dispose(): Promise<void>;
}

/**
 * The loss is computed in float64, because the change is a small difference of large numbers.
 *
 * @param objective  With inputs `x`, `y` and the parameters, and the scalar output `loss`, a mean over examples.
 */
export async function openOneStep(
  objective: Graph,
  specs: readonly ParamSpec[],
  { threads = 1, blockExamples = 256 }: { readonly threads?: number; readonly blockExamples?: number } = {},
): Promise<OneStepEstimator> {
  const lossOnly: Graph = { ...objective, outputs: { loss: objective.outputs["loss"]! } };
  const session = await compile(lossOnly, { threads, precision: "float64" });
  return {
    async measure({ params, split, learningRate, gradient, direction = gradient, hessian, signal }) {
      const moved: Record<string, Float64Array> = {};
      let offset = 0;
      for (const { name } of specs) {
        const start = offset;
        moved[name] = Float64Array.from(params[name]!, (x, i) => x - learningRate * direction[start + i]!);
        offset += params[name]!.length;
      }
      let measured = 0;
      for (const { inputs, targets, weight } of blocksOf(split, blockExamples)) {
        await breathe();
        signal?.throwIfAborted();
        const data = { x: Float64Array.from(inputs), y: Float64Array.from(targets) };
        const before = scalarOf((await session.run({ ...params, ...data }))["loss"]!);
        const after = scalarOf((await session.run({ ...params, ...moved, ...data }))["loss"]!);
        measured += weight * (after - before);
      }
      const curved = inner(direction, await hessian.apply(direction));
      const predicted = -learningRate * inner(gradient, direction) + 0.5 * learningRate ** 2 * curved;
      return { measured, predicted };
    },
    dispose: () => session.dispose(),
  };
}
