import { criticalLearningRate, deterministicLimit, probeNoiseKernel } from "@sedge/theory";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { openHessian } from "../curvature/curvature-operator.js";
import { openBatchSharpness } from "../curvature/neighbours/batch-sharpness.js";
import { conjugateBlocks } from "../curvature/noise-kernel.js";
import { openNtk } from "../curvature/ntk/ntk.js";
import { currentOptimizer, optimizerDynamics } from "../curvature/optimizer-dynamics.js";
import { sharpness } from "../curvature/sharpness.js";
import { takeExamples, type Dataset } from "../data/dataset.js";
import { BadInput } from "../errors.js";
import type { Model } from "../models/model.js";
import { objective, outputHessianRoots } from "../objectives/objective.js";
import { minibatchStream } from "../sampling/minibatch-stream.js";
import { optimizerOf } from "../training/optimizer.js";
import { createRandom } from "@sedge/linalg";

export const predictors = ["K exact", "K diagonal", "K trace", "batch sharpness", "λ_max"] as const;
export type Predictor = (typeof predictors)[number];

/**
 * The learning rate at which each measure says that a checkpoint would be on its edge: K = 1, λ_max on its edge with
 * the run's momentum, or batch sharpness at 2/η. NaN for batch sharpness and λ_max with an adaptive optimiser, whose
 * preconditioner they do not know.
 *
 * @param examples  n, of the probe for K; `curvatureExamples` are those for λ_max, all by default.
 */
export async function predictEdges(
  { config, step, carried }: Checkpoint,
  dataset: Dataset,
  model: Model,
  {
    examples,
    batchSize,
    curvatureExamples = dataset.train.examples,
  }: { readonly examples: number; readonly batchSize: number; readonly curvatureExamples?: number | undefined },
): Promise<Readonly<Record<Predictor, number>>> {
  const { loss, threads, sampling, learningRate } = config;
  const optimizer = optimizerOf(config);
  const current = currentOptimizer(optimizer, learningRate, step, carried);
  if (current === null) throw new BadInput("edge-test: an adaptive optimiser has no edge before its first update.");
  const { preconditioner, learningRate: rate, momentum, nesterov, weightDecay } = optimizerDynamics(current);
  const random = createRandom(config.seed).fork("edge-test");
  const chosen = minibatchStream({
    ...{ examples: dataset.train.examples, batchSize: examples, sampling: "without-replacement" },
    random: random.fork("probe"),
  }).next(1);
  const { inputs } = takeExamples(dataset.train, chosen);
  const estimator = await openNtk(model, { threads });
  const ntk = await estimator
    .measure(carried, inputs, { preconditioner: preconditioner ?? undefined })
    .finally(() => estimator.dispose());
  const roots = outputHessianRoots(loss, ntk.output, ntk.outputs);
  const matrix = roots === null ? ntk.matrix : conjugateBlocks(ntk.matrix, roots, examples, ntk.outputs);
  const dynamics = { batchSize, momentum, nesterov, weightDecay, sampling, population: dataset.train.examples };
  const { system } = probeNoiseKernel(
    { ntk: matrix, examples, outputs: ntk.outputs },
    { ...dynamics, learningRate: rate },
  );
  const own = learningRate / rate; // from the heavy ball's η to the optimiser's
  const byNorm = (norm: "exact" | "diagonal" | "trace") =>
    own * criticalLearningRate(system, { ...dynamics, norm }).value;
  const kernels = { "K exact": byNorm("exact"), "K diagonal": byNorm("diagonal"), "K trace": byNorm("trace") };
  if (preconditioner !== null) return { ...kernels, "batch sharpness": NaN, λ_max: NaN };

  const graph = objective(model, loss, { labelSmoothing: config.labelSmoothing ?? 0 });
  const hessian = await openHessian(graph, model.params, { threads });
  const some = Array.from({ length: Math.min(curvatureExamples, dataset.train.examples) }, (_, i) => i);
  const top = await sharpness(hessian, carried, takeExamples(dataset.train, some), {
    random: random.fork("sharpness"),
    tolerance: 1e-2,
  }).finally(() => hessian.dispose());
  const batches = await openBatchSharpness(graph, model.params, { threads });
  const batch = await batches
    .measure(carried, dataset.train, {
      batchSize,
      sampling: sampling === "with-replacement" ? sampling : "without-replacement",
      random: random.fork("batches"),
    })
    .finally(() => batches.dispose());
  return {
    ...kernels,
    "batch sharpness": 2 / batch.value,
    λ_max: deterministicLimit({ momentum, nesterov }) / (top.value + weightDecay),
  };
}
