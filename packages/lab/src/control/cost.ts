import { passWork } from "../curvature/ntk/cost.js";
import { partSize } from "../curvature/ntk/rules/rules.js";
import { tapModel } from "../curvature/ntk/tapped-model.js";
import { measurementWork } from "../curvature/ntk/work.js";
import type { Model } from "../models/model.js";
import type { ControlPlan } from "./controller.js";
import { sharpnessExamples } from "./reading.js";

/** Multiply-adds that a step's overhead costs: some 0.05 ms. */
const leastStepWork = 1e6;
/** Matrix products of the size of the kernel that its eigenvectors and its Perron vector take, halves included. */
const kernelProducts = 30;
/** Hessian-vector products of a λ_max from a cold start, and the passes that each takes. */
const hessianPasses = 15 * 6;
/** However costly a measurement is, one decision of so many is measured. */
const longest = 16;

/**
 * What a controller's measurement costs in training steps: an estimate from sizes alone, so that when it measures depends on
 * the config and not on the machine. Good to a factor of about two.
 *
 * @param examples  n, of the probe for K.
 */
export function measurementSteps(
  kind: ControlPlan["kind"],
  model: Model,
  { examples, batchSize }: { readonly examples: number; readonly batchSize: number },
): number {
  const sizes = { x: model.graph.inputs["x"]!.shape.slice(1).map(Number) };
  const parts = tapModel(model, sizes).layered.flatMap(({ uses }) => uses.map(partSize));
  const forward = parts.reduce(
    (sum, part) => sum + (part ? passWork(part, { examples: 1, directions: 0, isPreconditioned: false }) : 0),
    0,
  );
  const step = Math.max(leastStepWork, 3 * batchSize * forward);
  const rows = examples * model.outputs;
  const measurement =
    kind === "sharpness"
      ? hessianPasses * sharpnessExamples(examples) * forward
      : measurementWork(model, sizes)(examples, model.outputs) + kernelProducts * rows ** 3;
  return measurement / step;
}

/**
 * Most decisions in a row that a settled run sits out, so that measuring stays within its share of the work.
 *
 * @param cost  Of a measurement, in steps.
 * @param every  Steps between decisions.
 */
export function longestRest(cost: number, every: number, budget: number): number {
  return Math.min(longest, Math.max(1, Math.ceil(cost / (budget * every)))) - 1;
}
