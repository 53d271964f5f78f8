/** What the Jacobian's rows are multiplied with: all outputs, or samples of the output curvature. */
import { compile, graph, type Graph, type Tensor } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { BadInput } from "../../errors.js";
import type { Params } from "../../models/model.js";
import { checkMean, lossCurvatureRoots } from "../../objectives/loss-curvature.js";
import { lossGraph, type LossLike } from "../../objectives/loss-graph.js";
import { outputHessianRoots } from "../../objectives/objective.js";
import { checkInputs, checkParams, checkTargets, type ModelInputs, type Targets } from "../ntk/inputs.js";
import { forwardPass, paramInputs } from "../ntk/sides.js";
import { tapModel, type DifferentiableModel } from "../ntk/tapped-model.js";
import { sampledDirections } from "./sampled-directions.js";

/** f, [n, …]. */
export async function outputOf(
  model: DifferentiableModel,
  params: Params,
  inputs: ModelInputs,
  threads: number,
): Promise<Tensor> {
  const { tensors, sizes } = checkInputs("noiseKernel", model, inputs);
  const tapped = tapModel(model, sizes);
  const forward = graph((b) => ({
    output: forwardPass(b, tapped, paramInputs(b, tapped, false), "data", "examples").output,
  }));
  const session = await compile(forward, { threads });
  try {
    const data = Object.entries(tensors).map(([name, value]) => [`data/${name}`, value]);
    const feeds = { ...checkParams("noiseKernel", model, params), ...(Object.fromEntries(data) as typeof tensors) };
    return (await session.run(feeds))["output"]!;
  } finally {
    await session.dispose();
  }
}

export interface CurvatureOptions {
  readonly model: DifferentiableModel;
  readonly loss: LossLike;
  readonly output: Tensor;
  readonly targets: Targets;
  /** S, or null for all outputs. */
  readonly samples: number | null;
  readonly seed: string | number;
}

/** Either the roots H_i^{1/2} [n, C, C], null for the identity; or directions [S, n, C] that stand for them. */
export type Curvature =
  | { readonly kind: "roots"; readonly roots: Float64Array | null }
  | { readonly kind: "directions"; readonly directions: Float32Array };

/** @throws BadInput if the targets do not fit, or the loss is no mean over examples or not convex in the output. */
export async function outputCurvature(options: CurvatureOptions): Promise<Curvature> {
  const { model, loss, output, targets, samples, seed } = options;
  const asGraph: Graph = lossGraph(loss, model);
  const y = checkTargets("noiseKernel", asGraph, model.outputs, targets);
  if (y.shape[0] !== output.shape[0]) {
    throw new BadInput(`noiseKernel: targets: expected ${output.shape[0]} examples, got ${y.shape[0]}.`);
  }
  if (samples !== null) {
    await checkMean(asGraph, output, y);
    const random = createRandom(seed).fork("sampledOutputs");
    const values = output.data as Float32Array;
    const classes = output.shape.at(-1)!;
    const drawn = { loss, output: values, outputs: model.outputs, classes, samples, random };
    return { kind: "directions", directions: sampledDirections(drawn) };
  }
  if (typeof loss === "string" && output.shape.length === 2) {
    return { kind: "roots", roots: outputHessianRoots(loss, output.data as Float32Array, model.outputs) };
  }
  return { kind: "roots", roots: await lossCurvatureRoots(asGraph, output, y) };
}
