import { randomBytes } from "node:crypto";
import { createRandom } from "@sedge/linalg";
import { standingOf, verdict, type Verdict } from "../advice/verdict.js";
import { CheckpointError, loadCheckpoint, type Checkpoint } from "../checkpoint/checkpoint.js";
import { lockCheckpoint } from "../checkpoint/checkpoint-lock.js";
import { parseTrainConfig, type TrainConfig, type TrainConfigInput } from "../config/train-config.js";
import type { Dataset } from "../data/dataset.js";
import { augmentation } from "../data/augmentation.js";
import { openControl } from "../control/open-control.js";
import { openDataset } from "../data/open-dataset.js";
import { BadInput } from "../errors.js";
import { modelFromConfig } from "../models/model-from-config.js";
import { sizeOf, type Model, type Params } from "../models/model.js";
import { trainingObjective } from "../objectives/objective.js";
import { probesOf } from "../probes/by-name.js";
import type { Probe } from "../probes/probe.js";
import type { RunEvent, RunFinished } from "../run/events.js";
import type { Sink } from "../run/sinks.js";
import { resizableStream } from "../sampling/resizable-stream.js";
import { openCheckpointKeeper, type CheckpointKeeper, type CheckpointOptions } from "./checkpoint-keeper.js";
import { probeContextOf } from "./probe-context.js";
import { openProbes } from "./probe-set.js";
import { startSeparateProbes } from "./separate/separate-probes.js";
import { runLoop, type Outcome, type Progress } from "./run-loop.js";
import { optimizerOf, updateRule } from "./optimizer.js";
import { learningRateAt } from "./schedule.js";
import { openTrainer, type OpenEngine } from "./trainer.js";

export interface TrainOptions {
  /** Default: the time and a few random letters. */
  readonly runId?: string;
  /** Default: those that the config names. */
  readonly probes?: readonly Probe[];
  /** Where the run's events go. Closed at the end. */
  readonly sinks?: readonly Sink[];
  /** Stops the run, usually within a tenth of a second; it then ends as `interrupted`. */
  readonly signal?: AbortSignal;
  /** Called after every chunk of steps. */
  readonly onProgress?: (progress: Progress) => void;
  /** In place of the one that the config names. */
  readonly dataset?: Dataset;
  /** In place of the one that the config describes. */
  readonly model?: Model;
  /** What makes the steps, in place of a training loop of the run's own: one that several runs share. */
  readonly openEngine?: OpenEngine;
  /** Keeps the run's state in a file, so that it can be resumed after any kind of end. Default: none is kept. */
  readonly checkpoint?: CheckpointOptions;
}

export interface TrainResult extends Outcome {
  readonly runId: string;
  /** Weights at the end; of a diverged run the last ones that gave a finite loss, after `paramsStep` updates. */
  readonly params: Params;
  readonly paramsStep: number;
  readonly verdict: Verdict;
}

/** The probes of a run unless it is given others. */
export function defaultProbes(config: TrainConfig): Probe[] {
  return probesOf(config);
}

/**
 * Trains one model and measures it on the way. Deterministic: the config fixes every number that is not a time.
 *
 * A run that turns non-finite ends as `diverged`, a result and not an exception; so does an abort, as `interrupted`.
 *
 * @throws BadInput before anything is written, if the config or the data are at fault, or another run has the checkpoint. A
 *         CheckpointError ends the run as `interrupted`, because it can go on from the checkpoint before; any other error
 *         ends it as `failed`. Both are written to the sinks and then thrown.
 */
export async function train(input: TrainConfigInput, options: TrainOptions = {}): Promise<TrainResult> {
  if (!options.checkpoint?.resume) return trainAlone(input, options);
  const release = lockCheckpoint(options.checkpoint.path);
  try {
    return await trainAlone(input, options);
  } finally {
    release();
  }
}

async function trainAlone(input: TrainConfigInput, options: TrainOptions): Promise<TrainResult> {
  const config = parseTrainConfig(input);
  const dataset = options.dataset ?? (await openDataset(config.data));
  const optimizer = optimizerOf(config);
  const family = optimizer.kind === "sgd" ? "sgd" : "adam";
  const model = options.model ?? modelFromConfig(config.model, dataset, family);
  requireFit(config, dataset, model);
  const resumed = options.checkpoint?.resume ? loadCheckpoint(options.checkpoint.path) : undefined;
  if (resumed) requireSameRun(options, resumed, config);
  const smoothing = { labelSmoothing: config.labelSmoothing ?? 0 };
  const seed = createRandom(config.seed);
  const { batchSize, sampling } = config;
  const { augment } = config.data;
  const augmented =
    augment && (augment.crop > 0 || augment.flip)
      ? augmentation({ ...augment, inputShape: dataset.inputShape, random: seed.fork("augmentation") })
      : undefined;
  const isSeparate = config.probes.process === "separate";
  if (isSeparate && options.probes) {
    throw new BadInput(
      "probes.process: expected same, got separate: only probes that the config names can measure there.",
    );
  }
  const wanted = options.probes ?? defaultProbes(config);
  const probes = await openProbes(isSeparate ? [] : wanted, probeContextOf(config, dataset, model), seed, {
    memory: resumed?.probes ?? {},
    switchedOff: resumed?.switchedOff ?? [],
  });
  const minibatches = resizableStream({
    examples: dataset.train.examples,
    batchSize,
    sampling,
    random: seed.fork("minibatches"),
  });
  if (resumed?.control) minibatches.resize(resumed.control.state.batchSize);
  if (resumed) minibatches.restore(resumed.minibatches);
  const control = await openControl(config, {
    context: probeContextOf(config, dataset, model),
    seed,
    minibatches,
    resumed,
  });
  const learningRate = control?.learningRate ?? learningRateAt(config);
  const trainerOptions = {
    objective: trainingObjective(model, config.loss, smoothing),
    specs: model.params,
    statistics: model.statistics ?? [],
    params: model.initialise(seed.fork("initialise")),
    split: dataset.train,
    batchSize,
    update: updateRule(optimizer),
    clipNorm: config.clipNorm,
    accumulate: config.accumulate,
    augmentation: augmented,
    minibatches,
    learningRate,
    threads: config.threads,
    resume: resumed,
  };
  const trainer = await openTrainer(trainerOptions, options.openEngine).catch(async (error: unknown) => {
    await Promise.all([probes.close(), control?.close()]);
    throw error;
  });

  const separate = isSeparate
    ? startSeparateProbes({
        config,
        names: wanted.map(({ name }) => name),
        dataset: options.dataset,
        model: options.model,
      })
    : undefined;
  const runId = options.runId ?? resumed?.runId ?? newRunId();
  const sinks = options.sinks ?? [];
  const write = (event: RunEvent) => sinks.forEach((sink) => sink.write(event));
  const end = (step: number, status: RunFinished["status"], message?: string) =>
    write({ type: "run-finished", runId, time: Date.now(), step, status, ...(message !== undefined && { message }) });
  const flush = () => sinks.forEach((sink) => sink.flush?.());
  let keeper: CheckpointKeeper | undefined;
  let started = false;
  try {
    write({
      type: "run-started",
      runId,
      time: Date.now(),
      name: config.name ?? `η = ${config.learningRate}, B = ${config.batchSize}, seed ${config.seed}`,
      config,
      steps: config.steps,
      model: {
        paramCount: model.paramCount,
        description: `${model.description}; ${config.loss} loss; ${dataset.description}`,
      },
    });
    started = true;
    keeper =
      options.checkpoint &&
      openCheckpointKeeper(options.checkpoint, resumed !== undefined, flush, (state) => ({
        ...state,
        runId,
        config,
        step: trainer.step,
        minibatches: minibatches.state(),
        switchedOff: probes.switchedOff(),
        carried: trainer.carried,
        probes: { ...probes.memory(), ...(control && { control: control.instrumentMemory }) },
        ...(control && { control: control.memory(), snapshot: control.snapshotCarried ?? {} }),
      }));
    const outcome = await runLoop({
      config,
      trainer,
      learningRate,
      probes,
      control,
      separate,
      signal: options.signal,
      record(step, values, records) {
        const place = { runId, time: Date.now(), step };
        for (const { kind, data } of records) write({ type: "record", ...place, kind, data });
        write({ type: "metrics", ...place, values });
      },
      flush,
      onProgress: options.onProgress,
      resume: resumed,
      onResumable: keeper?.offer,
    });
    if (outcome.status !== "diverged") keeper?.saveLast();
    const { status, step, latest, warnings } = outcome;
    const judged = verdict(standingOf(status, step, latest));
    end(step, status, [judged.text, ...warnings].join("; "));
    const { params, step: paramsStep } = trainer;
    return { ...outcome, runId, params, paramsStep, verdict: judged };
  } catch (error) {
    try {
      const status = error instanceof CheckpointError ? "interrupted" : "failed";
      if (started) end(trainer.step, status, error instanceof Error ? error.message : String(error));
    } catch {
      // The sink itself is what failed: the first error is the one to report.
    }
    throw error;
  } finally {
    keeper?.close();
    await Promise.all([trainer.dispose(), probes.close(), control?.close(), separate?.close()]);
    for (const sink of sinks) await sink.close?.();
  }
}

/** Time and chance: sorts by age, and two runs started in the same second differ. */
function newRunId(): string {
  const time = new Date().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${time}-${randomBytes(3).toString("hex")}`;
}

/** @throws BadInput naming the first key that differs, if a checkpoint is of another run or of another config. */
function requireSameRun({ checkpoint, runId }: TrainOptions, resumed: Checkpoint, config: TrainConfig): void {
  const { path } = checkpoint!;
  if (runId !== undefined && runId !== resumed.runId) {
    throw new BadInput(`${path}: a checkpoint of run ${resumed.runId}, not of run ${runId}.`);
  }
  const saved = parseTrainConfig(resumed.config, path); // an older version's file lacks keys that have come since, with defaults
  for (const key of new Set([...Object.keys(saved), ...Object.keys(config)] as (keyof TrainConfig)[])) {
    const [there, here] = [JSON.stringify(saved[key]), JSON.stringify(config[key])];
    if (there !== here) {
      throw new BadInput(
        `${path}: a checkpoint of another config: ${key} is ${there ?? "not set"} there, ${here ?? "not set"} here.`,
      );
    }
  }
}

function requireFit(config: TrainConfig, dataset: Dataset, model: Model): void {
  const inputs = sizeOf(dataset.inputShape);
  if (sizeOf(model.inputShape) !== inputs || model.outputs !== dataset.outputs) {
    const wanted = `${sizeOf(model.inputShape)} inputs and ${model.outputs} outputs`;
    throw new BadInput(`model: expects ${wanted}; ${dataset.name} has ${inputs} and ${dataset.outputs}.`);
  }
  const { examples } = dataset.train;
  if (config.batchSize > examples) {
    throw new BadInput(`batchSize: expected at most the ${examples} training examples, got ${config.batchSize}.`);
  }
  const probe = config.probes.examples;
  if (probe > examples) {
    throw new BadInput(`probes.examples: expected at most the ${examples} training examples, got ${probe}.`);
  }
}
