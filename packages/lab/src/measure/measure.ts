import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { exportOnnx } from "@sedge/autodiff";
import { advise } from "../advice/advise.js";
import { criticalValues } from "../advice/critical.js";
import { times, type Measured } from "../advice/measured.js";
import { criticalLearningRate, type Sampling } from "@sedge/theory";
import { attributeNoiseKernel, type AttributeResult } from "../curvature/attribution/attribute.js";
import { openPreconditionedDecay } from "../curvature/preconditioned-decay.js";
import { openEvaluator } from "../curvature/evaluation.js";
import { optimizerDynamics, type OptimizerSettings } from "../curvature/optimizer-dynamics.js";
import { BadInput } from "../errors.js";
import type { OnnxModel, OnnxModelFile } from "../models/model-from-onnx.js";
import type { LossLike } from "../objectives/loss-graph.js";
import { firstOf } from "./halves.js";
import { openKeptStages } from "./kept-stages.js";
import { measureLambdaMax } from "./lambda-max.js";
import { onnxObjective, targetShape } from "./objective.js";
import { isAdaptive, meanSquaredGradients, optimizerSettings, type OptimizerRequest } from "./optimizer.js";
import { probeBatch, type ProbeBatch } from "./probe-batch.js";
import type { ProbeData } from "./probe-data.js";
import type { Normalisation } from "../data/image-set.js";
import type { EdgeExample, LayerRow, MeasureReport, ReportedCritical } from "./report-data.js";
import { measureSpectrum } from "./spectrum.js";

export interface MeasureOptions {
  readonly path: string;
  readonly file: OnnxModelFile;
  readonly data: ProbeData;
  /** By name, or as a graph: see `lossFromOnnx`. */
  readonly loss: LossLike;
  readonly optimizer: OptimizerRequest;
  readonly batchSize: number;
  /** N. Default: as many examples as the data have. */
  readonly population?: number | undefined;
  readonly sampling: Sampling;
  /** n, of the probe for K. */
  readonly examples: number;
  /** Draws from the first so many of the data only, as those that a run trains on. Default all. */
  readonly first?: number | undefined;
  /** For λ_max and the spectrum; the probe is the first of them. */
  readonly curvatureExamples: number;
  readonly normalisation?: Partial<Normalisation> | undefined;
  /** Random vectors of the spectrum, and products for each. */
  readonly spectrum: { readonly probes: number; readonly iterations: number };
  /** Images that are shown. */
  readonly topExamples: number;
  readonly seed: number;
  readonly threads: number;
  readonly memoryBudget: number;
  /** A file in which finished stages are kept until the measurement is whole. One of the same things goes on from there. */
  readonly keep?: string | undefined;
  readonly onProgress?: (progress: { readonly label: string; readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Measurement {
  readonly report: MeasureReport;
  /** What it was measured on, with the images, for whoever shows them. */
  readonly batch: ProbeBatch;
  /** Stages that an earlier measurement of the same things had finished before it was broken off. */
  readonly resumed: readonly string[];
}

/** The K that advice aims for, where there is room: half of what is stable, as docs/control says. */
const aimedFor = 0.5;

/** Of 100: where each stage begins. */
const stageStarts = { gradients: 0, λ_max: 5, kernel: 30, spectrum: 80 } as const;

/**
 * Both edges of one model at its present weights, what makes them what they are, and what to do about it.
 *
 * @throws BadInput for data, an optimiser or sizes that do not fit the model; the signal's reason when aborted.
 */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { path, file, data, loss, optimizer, batchSize, sampling, threads, memoryBudget, seed, signal } = options;
  const whole = data.kind === "images" ? data.set.examples : (data.targets.shape[0] ?? 0);
  const { first = whole } = options;
  if (first < 2 || first > whole) {
    throw new BadInput(`first: expected a whole number from 2 to ${whole}, as many as the data have, got ${first}.`);
  }
  const available = Math.min(whole, first);
  const examples = capped("examples", options.examples, available);
  const curvatureExamples = Math.max(examples, Math.min(options.curvatureExamples, available));
  const batch = probeBatch(file, data, {
    ...{ examples: curvatureExamples, first: options.first, seed, normalisation: options.normalisation },
    targetShape: targetShape(loss),
  });
  const { model, split } = batch;
  const population = options.population ?? batch.available;
  if (population < examples) {
    throw new BadInput(`population: expected at least the ${examples} examples of the probe, got ${population}.`);
  }
  if (batchSize > population) {
    throw new BadInput(`batchSize: expected at most N = ${population}, got ${batchSize}.`);
  }
  const objective = onnxObjective(model, loss);
  const seconds: Record<string, number> = {};
  const stage = async <T>(name: keyof typeof stageStarts, work: (report: (share: number) => void) => Promise<T>) => {
    const begun = performance.now();
    const names = Object.keys(stageStarts) as (keyof typeof stageStarts)[];
    const start = stageStarts[name];
    const next = names[names.indexOf(name) + 1];
    const end = next === undefined ? 100 : stageStarts[next];
    const report = (share: number) =>
      options.onProgress?.({ label: name, done: start + Math.min(1, share) * (end - start), total: 100 });
    report(0);
    signal?.throwIfAborted();
    const result = await work(report);
    seconds[name] = (performance.now() - begun) / 1000;
    return result;
  };
  const kept = options.keep === undefined ? undefined : openKeptStages(options.keep, thingsMeasured(options, batch));
  const resumed: string[] = [];
  /** As `stage`, of a result that may be there from before. */
  const keptStage = async <T>(
    name: keyof typeof stageStarts,
    work: (report: (share: number) => void) => Promise<T>,
  ) => {
    const before = kept?.found(name) as { readonly result: T; readonly seconds: number } | undefined;
    if (before !== undefined) {
      resumed.push(name);
      seconds[name] = before.seconds;
      return before.result;
    }
    const result = await stage(name, work);
    kept?.keep(name, { result, seconds: seconds[name] });
    return result;
  };

  const meanSquares = isAdaptive(optimizer)
    ? await stage("gradients", (report) =>
        meanSquaredGradients(objective, model.params, model.values, split, {
          ...{ batchSize, seed, threads, signal },
          onProgress: (done, total) => report(done / total),
        }),
      )
    : null;
  const probe = firstOf(split, examples);
  const settings = await withMeanDecay(optimizerSettings(optimizer, meanSquares), model, probe.inputs, options);
  const { preconditioner } = optimizerDynamics(settings);
  const evaluator = await openEvaluator(objective, { threads });
  const evaluation = await evaluator.evaluate(model.values, split).finally(() => evaluator.dispose());
  const curvature = { seed, threads, memoryBudget, signal, preconditioner: preconditioner ?? undefined };
  const lambdaMax = await keptStage("λ_max", (report) =>
    measureLambdaMax(objective, model.params, model.values, split, {
      ...curvature,
      onProduct: (products) => report(products / 50),
    }),
  );
  const kernel = await keptStage("kernel", async (report) => {
    const found = await attributeNoiseKernel({
      ...{ model, loss, params: model.values, optimizer: settings, batchSize, population, sampling },
      probe: { inputs: probe.inputs, targets: probe.targets, indices: batch.indices.slice(0, examples) },
      ...{ threads, memoryBudget, seed, topExamples: options.topExamples, signal },
      onProgress: ({ done, total }) => report((0.9 * done) / total),
    });
    const ratio = edgeRatio(lambdaMax.value, found);
    const { attribution, edge } = found;
    return { attribution, edge, ratio, critical: scaledRates(found, ratio.value, optimizer.learningRate) };
  });
  const { ratio, critical } = kernel;
  const spectrum = await keptStage("spectrum", (report) =>
    measureSpectrum(objective, model.params, model.values, split, {
      ...curvature,
      ...options.spectrum,
      onProduct: (product, total) => report(product / total),
    }),
  );
  kept?.discard();

  const { attribution } = kernel;
  const { exact } = attribution.kernel;
  const rows = attribution.responsible.map((one): EdgeExample => ({
    ...one,
    label: labelOf(batch, loss, one.place),
    file: batch.paths?.[one.place] ?? null,
  }));
  const { verdict, statements } = advise({
    ...{ learningRate: optimizer.learningRate, batchSize, population, probe: examples },
    ...{ kernel: exact, deterministic: ratio, critical, layers: attribution.layers, examples: rows },
    howToMeasureMore: {
      kernel: (count) => `--examples ${count}`,
      deterministic: "More examples for λ_max (--curvature-examples) narrow it",
    },
  });
  const report: MeasureReport = {
    model: {
      path,
      description: model.description,
      inputShape: model.inputShape,
      outputShape: model.outputShape,
      paramCount: model.paramCount,
    },
    data: {
      description: batch.description,
      probeExamples: examples,
      curvatureExamples,
      loss: evaluation.loss,
      accuracy: loss === "cross-entropy" && model.outputShape.length === 1 ? evaluation.accuracy : null,
    },
    settings: {
      ...{ loss: typeof loss === "string" ? loss : loss.name, optimizer: attribution.optimizer },
      learningRate: optimizer.learningRate,
      ...{ batchSize, population, sampling, seed },
    },
    deterministic: {
      lambdaMax: lambdaMax.value,
      ritzResidual: lambdaMax.ritzResidual,
      converged: lambdaMax.converged,
      edge: kernel.edge,
      ratio,
    },
    noiseKernel: attribution.kernel,
    verdict,
    critical,
    advice: statements,
    layers: attribution.layers.map(layerRow),
    examples: rows,
    spectrum,
    notes: [...model.notes, ...attribution.notes, ...notes(options, batch, examples, lambdaMax.converged)],
    seconds,
  };
  return { report, batch, resumed };
}

/** An L2 decay that is preconditioned with its mean, which stands for it. */
async function withMeanDecay(
  settings: OptimizerSettings,
  model: OnnxModel,
  inputs: Float32Array,
  { threads, memoryBudget }: MeasureOptions,
): Promise<OptimizerSettings> {
  const { kind, weightDecay = 0 } = settings;
  if (weightDecay === 0 || (kind !== "adam" && kind !== "rmsprop")) return settings;
  const { preconditioner } = optimizerDynamics({ ...settings, weightDecay: 0 });
  const decay = await openPreconditionedDecay(model, { threads, memoryBudget });
  const meanDecay = await decay.mean(weightDecay, model.values, inputs, preconditioner!).finally(() => decay.dispose());
  return { ...settings, meanDecay };
}

/** All that the stages' results depend on. */
function thingsMeasured(options: MeasureOptions, { model, split, indices, available }: ProbeBatch) {
  const { path, loss, optimizer, batchSize, population, sampling, examples, spectrum, topExamples, seed } = options;
  const settings = {
    ...{ loss: typeof loss === "string" ? loss : createHash("sha256").update(exportOnnx(loss)).digest("hex") },
    ...{ optimizer, batchSize, population, sampling, examples, spectrum, topExamples, seed },
    ...{ indices, available },
    memoryBudget: options.memoryBudget, // decides whether outputs are sampled
    output: options.file.output.name,
  };
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
  const numbers = [readFileSync(path), bytes(split.inputs), bytes(split.targets)];
  return { settings, numbers: [...numbers, ...model.params.map(({ name }) => bytes(model.values[name]!))] };
}

/** λ_max + δ over where it would be on the edge, with the error bar of λ_max. */
function edgeRatio({ value, standardError }: Measured, { edge, dynamics }: AttributeResult): Measured {
  const decay = dynamics.weightDecay ?? 0;
  return { value: Math.max(0, value + decay) / (edge + decay), standardError: standardError / (edge + decay) };
}

/** Critical values in the optimiser's own learning rate, of which the dynamics' is a multiple. */
function scaledRates({ system, dynamics }: AttributeResult, ratio: number, learningRate: number): ReportedCritical {
  const values = criticalValues(system, { ...dynamics, population: dynamics.population! }, ratio, aimedFor);
  const factor = learningRate / dynamics.learningRate;
  return {
    ...values,
    learningRateEdge: criticalLearningRate(system, dynamics).edge,
    deterministicLearningRate: ratio > 0 ? learningRate / ratio : Infinity,
    learningRate: times(factor, values.learningRate),
    ...(values.aim && { aim: { ...values.aim, learningRate: times(factor, values.aim.learningRate) } }),
  };
}

const layerRow = (share: AttributeResult["attribution"]["layers"][number]): LayerRow => ({
  name: share.name,
  kind: share.kind,
  size: share.size,
  traceShare: share.traceShare,
  lambdaMaxShare: share.lambdaMaxShare,
  perronShare: share.perronShare,
  noiseKernel: share.noiseKernel,
  deterministicRatio: share.deterministicRatio,
});

function labelOf({ images, model, split }: ProbeBatch, loss: LossLike, place: number): string | null {
  if (images !== null) return images.classes[images.labels[place]!] ?? String(images.labels[place]);
  if (loss !== "cross-entropy" || model.outputShape.length !== 1) return null;
  const row = split.targets.subarray(place * model.outputs, (place + 1) * model.outputs);
  return row.every((entry) => entry === 0 || entry === 1) ? String(row.indexOf(1)) : null;
}

function capped(name: string, wanted: number, available: number): number {
  if (wanted >= 2 && wanted <= available) return wanted;
  throw new BadInput(
    `${name}: expected a whole number from 2 to ${available}, as many as the data have, got ${wanted}.`,
  );
}

function notes(
  { optimizer, curvatureExamples }: MeasureOptions,
  { split, available }: ProbeBatch,
  n: number,
  converged: boolean,
) {
  return [
    `K is measured on ${n} examples, λ_max and the spectrum on ${split.examples} of ${available}: few examples read a little high.`,
    ...(split.examples < curvatureExamples
      ? [`The data have only ${split.examples} of the ${curvatureExamples} examples asked for.`]
      : []),
    ...(isAdaptive(optimizer)
      ? ["The preconditioner is estimated from 32 minibatches at the present weights, not taken from a run's state."]
      : []),
    ...(converged ? [] : ["λ_max: the solver stopped before its tolerance; the residual is its error."]),
  ];
}
