import { createRandom } from "@sedge/linalg";
import {
  encodeSafetensors,
  estimateNoiseKernel,
  minibatchStream,
  mlp,
  objective,
  openEvaluator,
  openHessian,
  openNtk,
  openTrainer,
  sharpness,
  takeExamples,
  type Model,
  type Split,
  type Trainer,
} from "@sedge/lab/browser";
import type { LinearSystem } from "@sedge/theory";
import { Thresholds } from "./thresholds.js";
import type {
  ExperimentSettings,
  KernelReading,
  LossReading,
  ModelKind,
  PhaseReading,
  SharpnessReading,
} from "./messages.js";

/** N, n. */
export const trainingExamples = 1000;
export const probeExamples = 32;
const sampling = "without-replacement";
/** Largest ‖Hv − λv‖ relative to λ_max. Its value is then off by a hundredth of that, far below a line's width. */
const ritzTolerance = 1e-2;

/** One model in training, and what is measured of it. Runs wherever @sedge/lab/browser does; the page keeps it in a worker. */
export interface Experiment {
  readonly model: Model;
  readonly step: number;
  /** η and B of the updates to come. */
  change(learningRate: number, batchSize: number): Promise<void>;
  /** Makes updates. @returns the step of the loss that was not finite, or null if all went well. */
  advance(steps: number): Promise<number | null>;
  loss(): Promise<LossReading>;
  kernel(): Promise<KernelReading>;
  sharpness(): Promise<SharpnessReading>;
  /** A part of the phase diagram of the probe's last `kernel()`: null until the last part is done. The next begins anew. */
  phases(): PhaseReading | null;
  /** The weights, as a safetensors file. */
  weights(): Uint8Array;
  dispose(): Promise<void>;
}

/** The examples on which K is measured: drawn once, from the seed's own stream. */
export function probeOf(split: Split, seed: number): Split {
  const chosen = minibatchStream({
    examples: split.examples,
    batchSize: probeExamples,
    sampling,
    random: createRandom(seed).fork("probe"),
  }).next(1);
  return takeExamples(split, chosen);
}

export function modelOf(kind: ModelKind): Model {
  return mlp({ inputs: 784, widths: kind === "mlp" ? [128, 128] : [], outputs: 10, activation: "tanh" });
}

export async function openExperiment(settings: ExperimentSettings, split: Split): Promise<Experiment> {
  const { seed } = settings;
  let { learningRate, batchSize } = settings;
  const random = createRandom(seed);
  const model = modelOf(settings.model);
  const loss = objective(model, "squared");
  const probe = probeOf(split, seed);
  const open = (resume?: Pick<Trainer, "step" | "carried">) =>
    openTrainer({
      objective: loss,
      specs: model.params,
      params: model.initialise(createRandom(seed).fork("initialise")),
      split,
      batchSize,
      minibatches: minibatchStream({
        examples: split.examples,
        batchSize,
        sampling,
        random: createRandom(seed).fork(`minibatches/${resume?.step ?? 0}`),
      }),
      learningRate: () => learningRate,
      resume,
    });
  let trainer = await open();
  const [evaluator, hessian, ntk] = await Promise.all([
    openEvaluator(loss, { blockExamples: split.examples }),
    openHessian(loss, model.params, { blockExamples: split.examples }),
    openNtk(model),
  ]);
  let perron: Float64Array | undefined;
  let top: Float64Array | undefined;
  let system: LinearSystem | undefined;
  let systemStep = 0;
  let thresholds: Thresholds | undefined;

  return {
    model,
    get step() {
      return trainer.step;
    },
    async change(newRate, newBatch) {
      learningRate = newRate;
      if (newBatch === batchSize) return;
      batchSize = newBatch;
      const former = trainer;
      trainer = await open({ step: former.step, carried: former.carried }); // they share one compiled loop
      await former.dispose();
    },
    async advance(steps) {
      return (await trainer.advance(steps)).divergedAt ?? null;
    },
    async loss() {
      return { step: trainer.step, ...(await evaluator.evaluate(trainer.params, split)) };
    },
    async kernel() {
      const { step } = trainer;
      const measured = await ntk.measure(trainer.params, probe.inputs);
      const estimate = estimateNoiseKernel(
        measured,
        "squared",
        { batchSize, sampling, examples: split.examples },
        { learningRate, start: perron },
      );
      perron = estimate.perron;
      system = estimate.system;
      systemStep = step;
      const { exact, diagonal, highDim } = estimate;
      return {
        step,
        exact: exact.value,
        standardError: exact.standardError,
        diagonal: diagonal.value,
        highDim: highDim.value,
      };
    },
    async sharpness() {
      const { step } = trainer;
      const { value, vector } = await sharpness(hessian, trainer.params, split, {
        random: random.fork(`sharpness/${step}`),
        tolerance: ritzTolerance,
        ...(top && { start: top }),
      });
      top = vector;
      return { step, sharpness: value, ratio: (learningRate * value) / 2 };
    },
    phases() {
      if (system === undefined) return null;
      thresholds ??= new Thresholds(system, systemStep, split.examples);
      const reading = thresholds.next();
      if (reading !== null) thresholds = undefined;
      return reading;
    },
    weights() {
      const shapes = new Map(model.params.map(({ name, shape }) => [name, shape]));
      const tensors = Object.fromEntries(
        Object.entries(trainer.params).map(([name, data]) => [name, { shape: shapes.get(name)!, data }]),
      );
      const about = { model: settings.model, seed, learningRate, batchSize, step: trainer.step };
      return encodeSafetensors({
        tensors,
        metadata: Object.fromEntries(Object.entries(about).map(([key, value]) => [key, String(value)])),
      });
    },
    async dispose() {
      await Promise.all([trainer.dispose(), evaluator.dispose(), hessian.dispose(), ntk.dispose()]);
    },
  };
}
