import {
  probeNoiseKernel,
  type LinearSystem,
  type ProbeNoiseKernel,
  type Sampling,
  type SgdSettings,
} from "@sedge/theory";
import { BadInput } from "../../errors.js";
import { breathe } from "../../event-loop.js";
import { sizeOf, type Params } from "../../models/model.js";
import type { LossLike } from "../../objectives/loss-graph.js";
import { checkInputs, type ModelInputs, type Targets } from "../ntk/inputs.js";
import { DEFAULT_MEMORY_BUDGET } from "../ntk/memory.js";
import { openNtk } from "../ntk/ntk.js";
import { measurementWork } from "../ntk/work.js";
import { tapModel, type DifferentiableModel } from "../ntk/tapped-model.js";
import { conjugateBlocks } from "../noise-kernel.js";
import { optimizerDynamics, type OptimizerSettings } from "../optimizer-dynamics.js";
import type { LayerShare, NoiseKernelAttribution, ResponsibleExample } from "./attribution.js";
import { outputCurvature, outputOf } from "./directions.js";
import { samplesWithin } from "./sampled-directions.js";
import { sampledNoiseKernel } from "./sampled-kernel.js";
import { layerGroups } from "./layer-groups.js";
import { shareOf } from "./shares.js";

export interface AttributeOptions {
  readonly model: DifferentiableModel;
  readonly loss: LossLike;
  readonly params: Params;
  readonly probe: {
    readonly inputs: ModelInputs;
    /** [n, …] as the loss has them; class labels as an int64 tensor [n] also for a cross-entropy by name. */
    readonly targets: Targets;
    /** Places in the data set, in random order as the probe is. Default 0 … n − 1. */
    readonly indices?: ArrayLike<number>;
  };
  readonly optimizer: OptimizerSettings;
  /** B. */
  readonly batchSize: number;
  /** N. */
  readonly population: number;
  /** Default "without-replacement". */
  readonly sampling?: Sampling;
  readonly threads?: number;
  /** Bytes. Default 2 GiB. */
  readonly memoryBudget?: number;
  /** S random directions for each example instead of all outputs; "auto", the default, only where all are too many. */
  readonly sampledOutputs?: number | "auto";
  /**
   * Multiply-adds that the kernel of all outputs may take before they are sampled instead. Default 4e12, some minutes of one core:
   * 64 examples of CIFAR-10 through a ResNet-18 take 1.3e12.
   */
  readonly mostWork?: number;
  /** For sampled outputs. Default 0. */
  readonly seed?: number | string;
  /** How many examples are named. Default 10. */
  readonly topExamples?: number;
  readonly onProgress?: (progress: { readonly label: string; readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface AttributeResult {
  /** JSON-able but for Infinity and NaN. */
  readonly attribution: NoiseKernelAttribution;
  /** Θ of the probe, output curvature and preconditioner applied. */
  readonly system: LinearSystem;
  /** The optimiser as the theory's heavy-ball or Nesterov SGD: what `noiseKernel(system, …)` was given. */
  readonly dynamics: SgdSettings;
  /** λ_max at which the deterministic edge is met. */
  readonly edge: number;
}

/**
 * K of a run from one probe of any model, with the run's own optimiser, and what makes it what it is: which layers (share
 * of the trace, of λ_max, of the Perron vector's energy, and K of the network with only that layer's Jacobian), and which
 * examples.
 *
 * @throws BadInput for a probe, an optimiser or a loss that does not fit: what is wrong, and what is allowed.
 */
export async function attributeNoiseKernel(options: AttributeOptions): Promise<AttributeResult> {
  const { model, loss, params, probe, batchSize, population, sampling = "without-replacement" } = options;
  const { threads = 1, memoryBudget = DEFAULT_MEMORY_BUDGET, topExamples = 10, signal, onProgress } = options;
  const { examples, sizes } = checkInputs("noiseKernel", model, probe.inputs);
  checkProbe(examples, population, batchSize, probe.indices);
  const { preconditioner, description, notes, ...rates } = optimizerDynamics(options.optimizer);
  const settings: SgdSettings = { ...rates, batchSize, sampling, population };
  const samples = sampleCount(options, examples, sizes, memoryBudget);
  const total = 100;
  let done = 0;
  const advance = async (label: string, to = done): Promise<void> => {
    onProgress?.({ label, done, total });
    done = to;
    await breathe();
    signal?.throwIfAborted();
  };

  await advance("output curvature", 1);
  const output = await outputOf(model, params, probe.inputs, threads);
  const seed = options.seed ?? 0;
  const curvature = await outputCurvature({ model, loss, output, targets: probe.targets, samples, seed });
  await advance("neural tangent kernels", kernelsDone);
  const estimator = await openNtk(model, { threads, memoryBudget });
  const directions = curvature.kind === "directions" ? curvature.directions : undefined;
  const { parts, matrix, outputs } = await estimator
    .measureParts(params, probe.inputs, {
      ...{ preconditioner: preconditioner ?? undefined, directions, signal },
      onProgress: (share) =>
        onProgress?.({ label: "neural tangent kernels", done: 1 + share * (kernelsDone - 1), total }),
    })
    .finally(() => estimator.dispose());
  const roots = curvature.kind === "roots" ? curvature.roots : null;
  const curved = (kernel: Float64Array): Float64Array =>
    roots === null ? kernel : conjugateBlocks(kernel, roots, examples, outputs);
  const whole =
    samples === null
      ? probeNoiseKernel({ ntk: curved(matrix), examples, outputs }, settings, { tolerance: 1e-5 })
      : sampledNoiseKernel({ matrix, examples, samples, outputs: model.outputs }, settings, { tolerance: 1e-5 });

  const tapped = tapModel(model, sizes);
  const counts = new Map(model.params.map(({ name, shape }) => [name, sizeOf(shape)]));
  const groups = layerGroups(tapped, counts);
  const kindOf = new Map(tapped.layered.map(({ param, uses }) => [param.name, uses[0]!.kind as string]));
  const kernels = new Map(parts.map(({ param, matrix: part }) => [param, curved(part)]));
  const shares: LayerShare[] = [];
  const step = (total - kernelsDone) / (kernels.size + groups.length);
  for (const [name, kernel] of kernels) {
    await advance(name, done + step);
    const own = { name, kind: kindOf.get(name) ?? "other", params: [name], size: counts.get(name)! };
    shares.push({ ...own, ...shareOf(kernel, whole, settings) });
  }
  const layers: LayerShare[] = [];
  for (const group of groups) {
    await advance(group.name, done + step);
    const [first, ...others] = group.params;
    const single = others.length === 0 ? shares.find(({ name }) => name === first) : undefined;
    const kernel = single ? null : sumOf(group.params.map((param) => kernels.get(param)!));
    layers.push(single ? { ...single, ...group } : { ...group, ...shareOf(kernel!, whole, settings) });
  }
  onProgress?.({ label: "done", done: total, total });
  return {
    attribution: {
      examples,
      outputs: model.outputs,
      population,
      batchSize,
      optimizer: description,
      sampledOutputs: samples,
      kernel: { exact: whole.exact, diagonal: whole.diagonal, highDim: whole.highDim, trace: whole.trace },
      lambdaMax: whole.lambdaMax,
      deterministicRatio: whole.deterministicRatio,
      binding: whole.binding,
      stable: whole.stable,
      spectrum: Array.from(whole.system.spectrum),
      layers,
      params: shares,
      responsible: responsibleExamples(whole, probe.indices, topExamples),
      notes: [
        ...notes,
        ...samplingNotes(samples, model.outputs, measurementWork(model, sizes)(examples, model.outputs)),
      ],
    },
    system: whole.system,
    dynamics: settings,
    edge: edgeOf(whole, rates.weightDecay),
  };
}

function checkProbe(
  examples: number,
  population: number,
  batchSize: number,
  indices: ArrayLike<number> | undefined,
): void {
  if (examples < 2 || examples > population) {
    throw new BadInput(`noiseKernel: expected a probe of 2 to ${population} training examples, got ${examples}.`);
  }
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > population) {
    throw new BadInput(`noiseKernel: batchSize: expected a whole number from 1 to ${population}, got ${batchSize}.`);
  }
  if (indices && indices.length !== examples) {
    throw new BadInput(`noiseKernel: indices: expected one for each of ${examples} examples, got ${indices.length}.`);
  }
}

/** Of a hundred, when the kernels are done. */
const kernelsDone = 70;

/** S, or null for all outputs. Room: their kernels, one for each parameter array and twice the whole, in the budget. */
function sampleCount(
  { sampledOutputs = "auto", mostWork = 4e12, model }: AttributeOptions,
  examples: number,
  sizes: Readonly<Record<string, readonly number[]>>,
  budget: number,
): number | null {
  if (sampledOutputs !== "auto") {
    if (!Number.isInteger(sampledOutputs) || sampledOutputs < 1) {
      throw new BadInput(
        `noiseKernel: sampledOutputs: expected "auto" or a whole number from 1 up, got ${sampledOutputs}.`,
      );
    }
    return sampledOutputs;
  }
  const rows = Math.floor(Math.sqrt(budget / 2 / (8 * (2 * model.params.length + 2))));
  return samplesWithin(model, examples, sizes, { rows, work: mostWork });
}

function samplingNotes(samples: number | null, outputs: number, work: number): string[] {
  if (samples === null) return [];
  const each = `${samples} random ${samples === 1 ? "direction" : "directions"} for each example`;
  const known =
    samples === 1
      ? "by how much, one direction cannot tell."
      : "the error bars hold by how much, from half of the directions.";
  return [
    `The Gauss–Newton factor is sampled: ${each} instead of all ${outputs} outputs, which would take ${work.toExponential(1)} ` +
      `multiply-adds. It is unbiased for the Gauss–Newton matrix; K and λ_max read a little high: ${known}`,
  ];
}

function sumOf(kernels: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(kernels[0]!.length);
  for (const kernel of kernels) for (let k = 0; k < sum.length; k++) sum[k]! += kernel[k]!;
  return sum;
}

function responsibleExamples(
  { exampleWeights }: ProbeNoiseKernel,
  indices: ArrayLike<number> | undefined,
  most: number,
): ResponsibleExample[] {
  return Array.from(exampleWeights, (weight, place) => ({ index: indices?.[place] ?? place, place, weight }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, most);
}

/** From the ratio of λ_max + δ to it. */
const edgeOf = ({ lambdaMax, deterministicRatio }: ProbeNoiseKernel, weightDecay: number): number =>
  (lambdaMax + weightDecay) / deterministicRatio - weightDecay;
