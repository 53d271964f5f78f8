/** The worker that trains: it makes updates for a fraction of a second, measures what is due, and listens in between. */
import { openExperiment, trainingExamples, type Experiment } from "./experiment.js";
import type { FromWorker, PhaseReading, ToWorker } from "./messages.js";
import { readMnistSubset } from "./mnist-subset.js";
import { Pace } from "./pace.js";

/** Milliseconds of training between two looks at what the reader wants. */
const slice = 60;
/** Milliseconds between two measurements of the loss, at least. */
const lossInterval = 120;

const send = (message: FromWorker, transfer: Transferable[] = []) => postMessage(message, { transfer });

let experiment: Experiment | null = null;
let running = false;
let scheduled = false;
/** Of the next slice. */
let steps = 1;
let wanted: { readonly learningRate: number; readonly batchSize: number } | null = null;
let lastLoss = -Infinity;
const paces = { loss: new Pace(0.1), kernel: new Pace(0.25), sharpness: new Pace(0.25), phases: new Pace(0.3) };

/** Messages wait for what is under way: the engine runs one thing at a time. */
let queue = Promise.resolve();
addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.type !== "change") return enqueue(() => handle(data));
  // A slider moves faster than a minibatch trains: only its last place counts.
  const isFirst = wanted === null;
  wanted = data;
  if (isFirst && !running) enqueue(applyChange);
});

function enqueue(work: () => Promise<void>): void {
  queue = queue.then(work).catch((error: unknown) => {
    running = false;
    send({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  });
}

async function handle(message: Exclude<ToWorker, { type: "change" }>): Promise<void> {
  switch (message.type) {
    case "open": {
      running = false;
      wanted = null;
      await experiment?.dispose();
      experiment = await openExperiment(message.settings, readMnistSubset(message.data, trainingExamples));
      const { description, paramCount } = experiment.model;
      send({ type: "opened", description, paramCount, examples: trainingExamples });
      return settle(experiment);
    }
    case "run":
      running = message.running;
      if (running) return schedule();
      return experiment === null ? undefined : settle(experiment);
    case "weights": {
      if (experiment === null) return;
      const file = experiment.weights();
      send({ type: "weights", step: experiment.step, file }, [file.buffer]);
    }
  }
}

/** While nothing is trained: what the new η and B make of the weights as they are. */
async function applyChange(): Promise<void> {
  if (experiment !== null && !running && wanted !== null) await settle(experiment);
}

/** Measures everything at the weights, η and B as they are. */
async function settle(of: Experiment): Promise<void> {
  await takeChange(of);
  await measure(of, true);
  if (wanted === null) send({ type: "settled" });
}

async function takeChange(of: Experiment): Promise<void> {
  if (wanted === null) return;
  const { learningRate, batchSize } = wanted;
  wanted = null;
  await of.change(learningRate, batchSize);
  paces.kernel.reset();
}

/** One slice of training, then the next behind whatever has been asked for meanwhile. */
async function turn(): Promise<void> {
  if (experiment === null || !running) return;
  await takeChange(experiment);
  const begin = performance.now();
  const divergedAt = await experiment.advance(steps);
  const seconds = (performance.now() - begin) / 1000;
  if (divergedAt !== null) {
    running = false;
    send({ type: "diverged", step: divergedAt });
    return;
  }
  send({ type: "progress", step: experiment.step, stepsPerSecond: steps / seconds });
  steps = Math.max(1, Math.min(4 * steps, 4096, Math.round((steps * slice) / (1000 * seconds))));
  await measure(experiment, false);
  schedule();
}

/** The next slice, once. Behind a task, not a promise: messages arrive between tasks. */
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setTimeout(() => {
    scheduled = false;
    enqueue(turn);
  });
}

async function measure(of: Experiment, all: boolean): Promise<void> {
  const due = async (pace: Pace, work: () => Promise<void>) => {
    const from = performance.now();
    if (!all && !pace.isDue(from)) return;
    await work();
    pace.took(from, performance.now());
  };
  if (all || performance.now() - lastLoss >= lossInterval) {
    await due(paces.loss, async () => {
      lastLoss = performance.now();
      send({ type: "loss", reading: await of.loss() });
    });
  }
  await due(paces.kernel, async () => send({ type: "kernel", reading: await of.kernel() }));
  await due(paces.sharpness, async () => send({ type: "sharpness", reading: await of.sharpness() }));
  let reading: PhaseReading | null = null;
  do {
    await due(paces.phases, () => {
      reading = of.phases();
      return Promise.resolve();
    });
  } while (all && reading === null);
  if (reading !== null) send({ type: "phases", reading });
}
