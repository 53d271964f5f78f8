import cliProgress from "cli-progress";
import type { Io } from "../io.js";
import { share, type RunView } from "../training/run-view.js";
import { formatCount, formatDuration, formatNumber, formatRatio, formatWithError } from "./format.js";

/** Shows how runs fare while they train. */
export interface ProgressDisplay {
  update(views: readonly RunView[]): void;
  /** Draws the last state and gives the terminal back. */
  stop(): void;
}

/** One bar a run where somebody watches, otherwise a plain line a run every few seconds and at each end. */
export function progressDisplay(io: Io, views: readonly RunView[]): ProgressDisplay {
  return io.watched ? bars(io, views) : lines(io);
}

/** Without a terminal, a running run's line is repeated no sooner than this. */
const lineMilliseconds = 5000;

function lines(io: Io): ProgressDisplay {
  const written = new Map<string, { time: number; step: number; status: RunView["status"] }>();
  return {
    update(views) {
      const now = Date.now();
      for (const view of views) {
        const last = written.get(view.runId);
        if (view.status === "waiting") continue;
        if (last === undefined) io.note(`${view.label}: started`);
        const ended = view.status !== "running" && view.status !== last?.status;
        const due = last !== undefined && view.step !== last.step && now - last.time >= lineMilliseconds;
        if (last !== undefined && !ended && !due) continue;
        written.set(view.runId, { time: now, step: view.step, status: view.status });
        if (ended || due) io.note(`${view.label}: ${describe(view)}`);
      }
    },
    stop: () => undefined,
  };
}

/** A run in a line: `step 6,000 of 12,000, loss 0.0421, K 0.30 ± 0.02, …`. */
export function describe(view: RunView): string {
  const { steps, step, status, stepsPerSecond, secondsLeft } = view;
  const where =
    status === "running"
      ? `step ${formatCount(step)} of ${formatCount(steps)}`
      : `${status} at step ${formatCount(step)}`;
  const pace = status === "running" && stepsPerSecond > 0 ? [`${formatCount(stepsPerSecond)} steps/s`] : [];
  const left = status === "running" && Number.isFinite(secondsLeft) ? [`${formatDuration(secondsLeft)} left`] : [];
  const facts = measured(view).map(([name, value]) => `${name} ${value}`);
  return [where, ...facts, ...probeCost(view), ...pace, ...left].join(", ");
}

function measured({ latest }: RunView): [name: string, value: string][] {
  const facts: [string, string][] = [
    ["loss", formatNumber(latest["loss/train"])],
    ["K", formatWithError(latest["noiseKernel/exact"], latest["noiseKernel/exact/standardError"])],
    ["λ_max·η/2", formatRatio(latest["edge/deterministic"])],
  ];
  return facts.filter(([, value]) => value !== "—");
}

/** `probes 3.1 % of 5.0 %`: the share of the wall time that they took, and the budget where there is one. */
function probeCost({ latest }: RunView): string[] {
  const [share, budget] = [latest["cost/probes"], latest["cost/budget"]];
  if (share === undefined) return [];
  const percent = (value: number) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`;
  if (budget === undefined) return [`probes ${percent(share)}`];
  // The default's sixteen measurements are made whatever they cost: in a short run they exceed the budget for more.
  const allowed = share > budget ? ` at the fewest, budget ${percent(budget)}` : ` of ${percent(budget)}`;
  return [`probes ${percent(share)}${allowed}`];
}

function bars(io: Io, first: readonly RunView[]): ProgressDisplay {
  const label = Math.max(...first.map((view) => view.label.length));
  const counter = Math.max(...first.map((view) => formatCount(view.steps).length));
  const multi = new cliProgress.MultiBar(
    {
      stream: io.progress,
      hideCursor: true,
      clearOnComplete: false,
      stopOnComplete: false,
      fps: 10,
      gracefulExit: false, // Ctrl-C is the command's own business
      linewrap: false,
      emptyOnZero: true,
      format: (_options, _params, payload: { view: RunView }) =>
        barLine(payload.view, { label, counter, columns: io.columns }),
    },
    cliProgress.Presets.rect,
  );
  const drawn = new Map(first.map((view) => [view.runId, multi.create(Math.max(1, view.steps), 0, { view })] as const));
  const update = (views: readonly RunView[]) => {
    for (const view of views) drawn.get(view.runId)?.update(Math.min(view.step, view.steps), { view });
  };
  return { update, stop: () => multi.stop() };
}

/** One line of the display, never wider than the terminal: what does not fit is left out from the right. */
export function barLine(
  view: RunView,
  { label, counter, columns }: { label: number; counter: number; columns: number },
): string {
  const width = columns >= 110 ? 24 : columns >= 90 ? 14 : 8;
  const full = Math.round(share(view) * width);
  const head = `${view.label.padEnd(label)} ${"█".repeat(full)}${"░".repeat(width - full)} ${formatCount(view.step).padStart(counter)}/${formatCount(view.steps)}`;
  const facts =
    view.status === "waiting"
      ? ["waiting"]
      : [
          ...measured(view).map(([name, value]) => `${name} ${value}`),
          ...(view.status === "running"
            ? [
                ...(view.stepsPerSecond > 0 ? [`${formatCount(view.stepsPerSecond)}/s`] : ["preparing"]),
                ...(Number.isFinite(view.secondsLeft) ? [`${formatDuration(view.secondsLeft)} left`] : []),
              ]
            : [view.status]),
          ...probeCost(view),
        ];
  let line = head;
  for (const fact of facts) {
    const next = `${line}  ${fact}`;
    if (next.length >= columns) break;
    line = next;
  }
  return line.slice(0, Math.max(0, columns - 1));
}
