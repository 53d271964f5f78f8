import { randomBytes } from "node:crypto";
import { createRandom } from "@sedge/linalg";
import { standingOf, verdict, type Verdict } from "../advice/verdict.js";
import { parseTrainConfig, type TrainConfig, type TrainConfigInput } from "../config/train-config.js";
import type { Dataset } from "../data/dataset.js";
import { mnist } from "../data/mnist.js";
import { BadInput } from "../errors.js";
import { mlp } from "../models/mlp.js";
import { sizeOf, type Model, type Params } from "../models/model.js";
import { objective } from "../objectives/objective.js";
import { lossProbe } from "../probes/loss.js";
import { noiseKernelProbe } from "../probes/noise-kernel.js";
import type { Probe, ProbeContext } from "../probes/probe.js";
import { sharpnessProbe } from "../probes/sharpness.js";
import type { RunEvent, RunFinished } from "../run/events.js";
import type { Sink } from "../run/sinks.js";
import { minibatchStream } from "../sampling/minibatch-stream.js";
import { openProbes } from "./probe-set.js";
import { runLoop, type Outcome, type Progress } from "./run-loop.js";
import { openTrainer } from "./trainer.js";

export interface TrainOptions {
  /** Default: the time and a few random letters. */
  readonly runId?: string;
  /** Default: loss and accuracy, sharpness, noise kernel. */
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
  return [lossProbe(), sharpnessProbe(), noiseKernelProbe({ examples: config.probes.examples })];
}

/**
 * Trains one model and measures it on the way. Deterministic: the config fixes every number that is not a time.
 *
 * A run that turns non-finite ends as `diverged`, a result and not an exception; so does an abort, as `interrupted`.
 *
 * @throws BadInput before anything is written, if the config or the data are at fault. Any other error ends the run as
 *         `failed`, is written to the sinks and then thrown.
 */
export async function train(input: TrainConfigInput, options: TrainOptions = {}): Promise<TrainResult> {
  const config = parseTrainConfig(input);
  const dataset = options.dataset ?? (await mnist(config.data));
  const model = options.model ?? mlp({ inputs: sizeOf(dataset.inputShape), outputs: dataset.outputs, ...config.model });
  requireFit(config, dataset, model);
  const graph = objective(model, config.loss);
  const seed = createRandom(config.seed);
  const { batchSize, sampling, momentum, weightDecay } = config;
  const sgd = { examples: dataset.train.examples, batchSize, sampling, momentum, weightDecay };
  const context: Omit<ProbeContext, "random"> = {
    model,
    objective: graph,
    loss: config.loss,
    dataset,
    sgd,
    threads: config.threads,
  };
  const probes = await openProbes(options.probes ?? defaultProbes(config), context, seed);
  const trainer = await openTrainer({
    objective: graph,
    specs: model.params,
    params: model.initialise(seed.fork("initialise")),
    split: dataset.train,
    batchSize,
    optimizer: { momentum, weightDecay },
    minibatches: minibatchStream({ examples: sgd.examples, batchSize, sampling, random: seed.fork("minibatches") }),
    learningRate: () => config.learningRate,
    threads: config.threads,
  });

  const runId = options.runId ?? newRunId();
  const sinks = options.sinks ?? [];
  const write = (event: RunEvent) => sinks.forEach((sink) => sink.write(event));
  const end = (step: number, status: RunFinished["status"], message?: string) =>
    write({ type: "run-finished", runId, time: Date.now(), step, status, ...(message !== undefined && { message }) });
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
    const outcome = await runLoop({
      config,
      trainer,
      probes,
      signal: options.signal,
      record: (step, values) => write({ type: "metrics", runId, time: Date.now(), step, values }),
      flush: () => sinks.forEach((sink) => sink.flush?.()),
      onProgress: options.onProgress,
    });
    const { status, step, latest, warnings, seconds } = outcome;
    const judged = verdict(standingOf(status, step, latest));
    end(step, status, [judged.text, ...warnings].join("; "));
    const { params, step: paramsStep } = trainer;
    return { runId, status, step, params, paramsStep, latest, verdict: judged, warnings, seconds };
  } catch (error) {
    try {
      if (started) end(trainer.step, "failed", error instanceof Error ? error.message : String(error));
    } catch {
      // The sink itself is what failed: the first error is the one to report.
    }
    throw error;
  } finally {
    await Promise.all([trainer.dispose(), probes.close()]);
    for (const sink of sinks) await sink.close?.();
  }
}

/** Time and chance: sorts by age, and two runs started in the same second differ. */
function newRunId(): string {
  const time = new Date().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${time}-${randomBytes(3).toString("hex")}`;
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
