import { createHash } from "node:crypto";
import { parseTrainConfig, type TrainConfig } from "../config/train-config.js";
import { BadInput } from "../errors.js";
import type { SweepConfig } from "./sweep-config.js";

/** A run of a sweep, complete. */
export interface PlannedRun {
  /** The sweep's name and a hash of the config: the same run has the same id whenever the sweep is planned. */
  readonly id: string;
  /** What tells it from the others: `η = 0.01, B = 8, seed 2`. */
  readonly label: string;
  readonly config: TrainConfig;
}

export interface SweepAxis {
  /** Of the config, with dots: `model.widths`. */
  readonly key: string;
  readonly values: readonly unknown[];
}

export interface SweepPlan extends Pick<SweepConfig, "name" | "vectorise" | "workers" | "runsPerTask" | "slurm"> {
  /** The grid's, in its order; those of single runs are not among them. */
  readonly axes: readonly SweepAxis[];
  /** In order: the last axis changes fastest. */
  readonly runs: readonly PlannedRun[];
}

export interface PlanOptions {
  /** Put before messages: a file name. */
  readonly source?: string | undefined;
  /** The settings that `base` names, where it is a file or a preset. */
  readonly named?: ((name: string) => unknown) | undefined;
}

const mostRuns = 100_000;

/**
 * All runs of a sweep, each with its complete config.
 *
 * @throws BadInput naming the run, the key, what is allowed and what was given; and if two runs are the same.
 */
export function planSweep(sweep: SweepConfig, { source, named }: PlanOptions = {}): SweepPlan {
  const where = source === undefined ? "" : `${source}: `;
  const axes = Object.entries(sweep.grid ?? {}).map(([key, values]): SweepAxis => ({ key, values }));
  const singles = sweep.runs ?? [{}];
  const total = axes.reduce((product, { values }) => product * values.length, singles.length);
  if (total > mostRuns) throw new BadInput(`${where}grid: expected at most ${mostRuns} runs, got ${total}.`);
  if (typeof sweep.base === "string" && named === undefined) {
    throw new BadInput(`${where}base: expected settings by key, got ${JSON.stringify(sweep.base)}.`);
  }
  const base: unknown = typeof sweep.base === "string" ? named!(sweep.base) : sweep.base;
  const threads = sweep.threads === undefined ? [] : [["threads", sweep.threads] as const];
  const points = singles.flatMap((single) => combinations(axes).map((point) => [...Object.entries(single), ...point]));
  const varying = keysThatVary(points);

  const seen = new Map<string, number>();
  const runs = points.map((point, i): PlannedRun => {
    const settings: Record<string, unknown> = {};
    for (const [key, value] of [...threads, ...Object.entries(base ?? {}), ...point]) setAt(settings, key, value);
    const label = labelOf(point.filter(([key]) => varying.has(key))) || sweep.name;
    const place = points.length === 1 ? "" : `run ${i + 1} (${label}): `;
    const config = parseTrainConfig(settings, `${where}${place}`.replace(/: $/, "") || undefined);
    // What a run is called does not make it another run.
    delete config.name;
    const id = `${sweep.name.replaceAll(".", "-")}-${hashOf(config)}`;
    const same = seen.get(id);
    if (same !== undefined) {
      throw new BadInput(`${where}runs ${same + 1} and ${i + 1} are the same (${label}): a value occurs twice.`);
    }
    seen.set(id, i);
    return { id, label, config: { name: label, ...config } };
  });
  const { name, vectorise, workers, runsPerTask, slurm } = sweep;
  return {
    ...{ name, vectorise, axes, runs },
    ...(workers !== undefined && { workers }),
    ...(runsPerTask !== undefined && { runsPerTask }),
    ...(slurm !== undefined && { slurm }),
  };
}

type Setting = readonly [key: string, value: unknown];

function combinations(axes: readonly SweepAxis[]): Setting[][] {
  return axes.reduce<Setting[][]>(
    (points, { key, values }) => points.flatMap((point) => values.map((value) => [...point, [key, value] as const])),
    [[]],
  );
}

function keysThatVary(points: readonly (readonly Setting[])[]): Set<string> {
  const values = new Map<string, Set<string>>();
  for (const point of points) {
    for (const [key, value] of point) values.set(key, (values.get(key) ?? new Set()).add(JSON.stringify(value)));
  }
  const given = (key: string) => points.filter((point) => point.some(([own]) => own === key)).length;
  return new Set([...values].filter(([key, set]) => set.size > 1 || given(key) < points.length).map(([key]) => key));
}

/** Sets a key with dots; objects on the way are made. A part that is there and no object is left for the schema to refuse. */
function setAt(settings: Record<string, unknown>, key: string, value: unknown): void {
  const path = key.split(".");
  let place = settings;
  for (const part of path.slice(0, -1)) {
    const there = place[part];
    const copy = typeof there === "object" && there !== null && !Array.isArray(there) ? { ...there } : {};
    place = place[part] = copy as Record<string, unknown>;
  }
  place[path.at(-1)!] = value;
}

const shortNames: Readonly<Record<string, string>> = {
  learningRate: "η = ",
  batchSize: "B = ",
  momentum: "m = ",
  weightDecay: "δ = ",
  seed: "seed ",
};

const labelOf = (point: readonly Setting[]): string =>
  point
    .map(
      ([key, value]) => `${shortNames[key] ?? `${key} `}${typeof value === "string" ? value : JSON.stringify(value)}`,
    )
    .join(", ")
    .slice(0, 200);

/** Of the settings, whatever the order in which they were written. */
function hashOf(config: object): string {
  const sorted = JSON.stringify(config, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash("sha256").update(sorted).digest("hex").slice(0, 10);
}
