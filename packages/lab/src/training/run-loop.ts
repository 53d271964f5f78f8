import type { TrainConfig } from "../config/train-config.js";
import { breathe } from "../event-loop.js";
import { copyParams, type Params } from "../models/model.js";
import { cadence, type ProbeCost, type Spent } from "../probes/cadence.js";
import type { ProbeRecord } from "../probes/probe.js";
import type { ControlNews, RunControl } from "../control/run-control.js";
import type { RunStatus } from "../run/events.js";
import { pacer } from "./pacing.js";
import type { ProbeSet } from "./probe-set.js";
import type { SeparateProbes } from "./separate/separate-probes.js";
import type { Trainer } from "./trainer.js";

export interface Progress {
  readonly step: number;
  readonly steps: number;
  /** Newest value of every metric so far, by path. */
  readonly latest: Readonly<Record<string, number>>;
  /** Training steps a second so far, probes not counted. */
  readonly stepsPerSecond: number;
  /** Estimated from the steps and the measurements still to come. */
  readonly secondsLeft: number;
}

/** How a run went. */
export interface Outcome {
  readonly status: Exclude<RunStatus, "running" | "failed">;
  /** The last step; of a diverged run the one whose loss was not finite. */
  readonly step: number;
  /** Newest value of every metric, by path. */
  readonly latest: Readonly<Record<string, number>>;
  /** What went wrong without ending the run: a probe that failed and was switched off. */
  readonly warnings: readonly string[];
  /** Wall time of the steps and of the probes. Building the graphs is in neither. */
  readonly seconds: { readonly training: number; readonly probes: number };
  /** The share of the wall time that the probes were to stay within; undefined where they were asked at fixed steps. */
  readonly probeBudget: number | undefined;
}

export interface RunLoopOptions {
  readonly config: TrainConfig;
  readonly trainer: Trainer;
  /** Of the update from step t to t + 1. */
  readonly learningRate: (step: number) => number;
  readonly probes: ProbeSet;
  /** Changes η and B, where the user has switched it on. */
  readonly control?: RunControl | undefined;
  /** Probes that measure elsewhere while training goes on. */
  readonly separate?: SeparateProbes | undefined;
  readonly signal: AbortSignal | undefined;
  readonly record: (step: number, values: Readonly<Record<string, number>>, records: readonly ProbeRecord[]) => void;
  /** Called before work that may keep the event loop for long. */
  readonly flush: () => void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  /** Where another run loop of the same config stopped. */
  readonly resume?: LoopState | undefined;
  /** Called where the run may be resumed from, after every chunk and every record. */
  readonly onResumable?: ((state: LoopState) => void) | undefined;
}

/** What the loop itself must know to go on, besides the trainer's, the minibatches' and the probes' own state. */
export interface LoopState {
  /** The last step whose record has been written; −1 before the first. */
  readonly recordedStep: number;
  /** Sum and number of minibatch losses since that record. */
  readonly batchLoss: { readonly sum: number; readonly count: number };
  readonly latest: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  readonly seconds: { readonly training: number; readonly probes: number };
}

/** `loss/batch` is recorded this many times over a run, at steps that the config alone decides. */
const batchLossRecords = 100;

/**
 * Trains to the end, to divergence or to an abort, measuring on the way.
 *
 * What is recorded at which step depends on the config only, where it sets `count` or `every`. The chunks in between
 * depend on the machine's speed, and nothing depends on them.
 */
export async function runLoop(options: RunLoopOptions): Promise<Outcome> {
  const { config, trainer, probes, control, separate, signal, flush, onProgress } = options;
  const { steps } = config;
  const plan = cadence(steps, config.probes);
  const measurable = new Set(probes.names.length > 0 || separate ? plan.candidates : []);
  const recorded = new Set<number>();
  for (let i = 1; i <= batchLossRecords; i++) recorded.add(Math.ceil((i * steps) / batchLossRecords));

  for (const step of control?.steps ?? []) recorded.add(step);

  const { resume, onResumable } = options;
  const latest: Record<string, number> = { ...resume?.latest };
  const warnings: string[] = [...(resume?.warnings ?? [])];
  const seconds = { training: 0, probes: 0, ...resume?.seconds };
  const batchLoss = { sum: 0, count: 0, ...resume?.batchLoss };
  let recordedStep = resume?.recordedStep ?? -1;
  const pace = trainer.pace ?? pacer();
  const costs = costsSoFar(probes.names, latest, seconds.probes);

  const ended = (status: Outcome["status"], step: number): Outcome => ({
    status,
    step,
    latest,
    warnings,
    seconds,
    probeBudget: plan.budget,
  });

  const spent = (): Spent => ({
    step: trainer.step,
    training: seconds.training,
    probes: Object.fromEntries(probes.names.map((name) => [name, costs.get(name)!])),
    distance: Math.max(...["noiseKernel/exact", "edge/deterministic"].map((key) => latest[key] ?? -Infinity)),
  });

  /** η of the next update; at the end of the run that of the last. */
  const rateAt = (step: number) => options.learningRate(Math.min(step, steps - 1));

  const batchSizeNow = () => control?.batchSize ?? config.batchSize;

  const resumable = () => onResumable?.({ recordedStep, batchLoss, latest, warnings, seconds });

  function record(step: number, values: Record<string, number>, records: readonly ProbeRecord[] = []): void {
    if (batchLoss.count > 0) values["loss/batch"] = batchLoss.sum / batchLoss.count;
    batchLoss.sum = batchLoss.count = 0;
    values["learningRate"] = rateAt(step);
    values["batchSize"] = batchSizeNow();
    if (seconds.training > 0) values["speed/stepsPerSecond"] = trainer.step / seconds.training;
    if (seconds.probes > 0) values["cost/probes"] = seconds.probes / (seconds.probes + seconds.training);
    if (seconds.probes > 0 && plan.budget !== undefined) values["cost/budget"] = plan.budget;
    Object.assign(latest, values);
    options.record(step, values, records);
    recordedStep = step;
  }

  async function measure(
    step: number,
    names: readonly string[],
  ): Promise<{ values: Record<string, number>; records: readonly ProbeRecord[]; diverged: boolean }> {
    if (!allFinite(trainer.params)) return { values: {}, records: [], diverged: true };
    flush();
    const observe = async () => {
      const start = performance.now();
      const { params, carried } = trainer;
      const view = {
        step,
        params: copyParams(params),
        carried,
        learningRate: rateAt(step),
        batchSize: batchSizeNow(),
        signal,
      };
      const seen = await probes.observe(view, names);
      seconds.probes += (performance.now() - start) / 1000;
      return seen;
    };
    const observation = await (trainer.exclusively?.(observe) ?? observe());
    for (const name of names) {
      const last = observation.values[`cost/${name}`];
      if (last !== undefined) costs.set(name, { total: costs.get(name)!.total + last, last });
    }
    warnings.push(...observation.warnings);
    return { ...observation, values: { ...observation.values } };
  }

  /** Has a copy measured elsewhere: at the fixed steps in any case, at others if nothing else is under way. */
  function offer(step: number): void {
    if (!separate || !(plan.fixed.has(step) || separate.idle) || !allFinite(trainer.params)) return;
    const start = performance.now();
    const { params, carried } = trainer;
    separate.offer({ step, params, carried, learningRate: rateAt(step), batchSize: batchSizeNow() });
    seconds.probes += (performance.now() - start) / 1000;
  }

  /** Records what was measured elsewhere, each with the step it belongs to, which training has left behind. */
  function recordArrivals(): void {
    for (const { step, values, records, warnings: more } of separate?.arrivals() ?? []) {
      warnings.push(...more);
      if (Number.isNaN(step)) continue;
      Object.assign(latest, values);
      options.record(step, values, records);
    }
  }

  function report(): void {
    const { step } = trainer;
    const stepsPerSecond = seconds.training > 0 ? step / seconds.training : 0;
    const trainingLeft = stepsPerSecond > 0 ? (steps - step) / stepsPerSecond : NaN;
    const probesLeft = probes.names.length > 0 ? plan.secondsLeft(spent(), trainingLeft) : 0;
    onProgress?.({ step, steps, latest, stepsPerSecond, secondsLeft: trainingLeft + probesLeft });
  }

  /** Training is over: now there is nothing that would have to wait. */
  async function lastArrivals(): Promise<void> {
    if (separate) await Promise.race([separate.settled(), aborted(signal)]);
    signal?.throwIfAborted();
    recordArrivals();
  }

  /** Trains up to `stop`. Returns the step of a bad loss, if there is one. */
  async function advanceTo(stop: number): Promise<number | undefined> {
    while (trainer.step < stop) {
      await breathe();
      signal?.throwIfAborted();
      const count = pace.next(stop - trainer.step);
      const start = performance.now();
      const { losses, divergedAt, milliseconds = performance.now() - start } = await trainer.advance(count);
      pace.took(count, milliseconds);
      seconds.training += milliseconds / 1000;
      for (const loss of losses) batchLoss.sum += loss;
      batchLoss.count += losses.length;
      control?.hear(losses);
      recordArrivals();
      if (divergedAt !== undefined) return divergedAt;
      report();
      resumable();
    }
    return undefined;
  }

  /** Has the controller decide, if it is due. Whether the run is sound. */
  async function decided(step: number, news: ControlNews[]): Promise<boolean> {
    if (!control?.steps.has(step)) return true;
    if (!allFinite(trainer.params)) return false;
    flush();
    const decide = async () => {
      const start = performance.now();
      const { params, carried } = trainer;
      const made = await control.decide({ step, params, carried, signal });
      seconds.probes += (performance.now() - start) / 1000;
      return made;
    };
    const made = await (trainer.exclusively?.(decide) ?? decide());
    warnings.push(...control.warnings());
    news.push(...(made ?? []));
    return made !== null;
  }

  /** As `advanceTo`; where the loss blows up, from the controller's last decision again and with a smaller η. */
  async function reach(stop: number, news: ControlNews[]): Promise<number | undefined> {
    for (;;) {
      const divergedAt = await advanceTo(stop);
      if (divergedAt === undefined && (await decided(stop, news))) return undefined;
      const badAt = divergedAt ?? stop;
      const rescue = control?.rescue(badAt);
      if (!rescue) return divergedAt ?? (allFinite(trainer.params) ? undefined : stop);
      trainer.rewind(rescue);
      batchLoss.sum = batchLoss.count = 0;
      options.record(badAt, {}, [rescue.news.record]);
    }
  }

  try {
    for (const stop of [...new Set([...recorded, ...measurable])].sort((a, b) => a - b)) {
      if (stop <= recordedStep) continue;
      const news: ControlNews[] = [];
      const divergedAt = await reach(stop, news);
      if (divergedAt !== undefined) {
        record(divergedAt, {});
        await lastArrivals();
        return ended("diverged", divergedAt);
      }
      if (measurable.has(stop)) offer(stop);
      const names = measurable.has(stop) ? plan.due(spent()) : [];
      const due = names.length > 0;
      if (!due && !recorded.has(stop)) continue;
      const { values, records, diverged } = due
        ? await measure(stop, names)
        : { values: {}, records: [], diverged: stop === steps && !allFinite(trainer.params) };
      for (const { values: more } of news) Object.assign(values, more);
      record(stop, values, [...records, ...news.map((each) => each.record)]);
      if (diverged) {
        await trainer.retreat();
        await lastArrivals();
        return ended("diverged", stop);
      }
      if (due) report();
      resumable();
    }
    await lastArrivals();
    return ended("finished", steps);
  } catch (error) {
    if (signal?.aborted) {
      resumable();
      return ended("interrupted", trainer.step);
    }
    throw error;
  }
}

/** Of a run that is resumed, the last costs are known and the totals together: shared out in proportion. */
function costsSoFar(
  names: readonly string[],
  latest: Readonly<Record<string, number>>,
  total: number,
): Map<string, ProbeCost> {
  const last = (name: string) => latest[`cost/${name}`] ?? 0;
  const sum = names.reduce((all, name) => all + last(name), 0);
  return new Map(names.map((name) => [name, { last: last(name), total: sum > 0 ? (total * last(name)) / sum : 0 }]));
}

/** Resolves when the signal is raised; never without one. */
const aborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));

function allFinite(params: Params): boolean {
  return Object.values(params).every((values) => values.every(Number.isFinite));
}
