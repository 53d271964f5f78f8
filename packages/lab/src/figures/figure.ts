import type { SweepPlan } from "../sweep/plan.js";
import type { SweepProgress } from "../sweep/progress.js";
import type { SweepResult } from "../sweep/run-sweep.js";
import type { Sheet } from "./plotting/sheet.js";
import type { Theme } from "./plotting/theme.js";
import type { PartStore } from "./parts.js";

/** Named columns of equal length: what a CSV or Parquet file holds. Text columns tell series apart. */
export type DataTable = Readonly<Record<string, readonly (number | string)[]>>;

/** A qualitative claim of the paper, put as an inequality and measured. */
export interface Check {
  readonly claim: string;
  readonly measured: string;
  readonly holds: boolean;
}

export interface FigureProgress {
  /** What is being computed. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
}

/** What a figure may use while it computes. */
export interface FigureContext {
  /** Fewer seeds, steps and settings: a picture of the same shape in seconds. */
  readonly quick: boolean;
  /** Of everything random. The same seed gives the same numbers. */
  readonly seed: number;
  /** Results of finished parts, so that an interrupted figure goes on where it was. */
  readonly parts: PartStore;
  /** Trains the runs of a sweep that are not trained yet, and keeps them; ends early when the signal is raised. */
  readonly sweep: (plan: SweepPlan, onProgress: (progress: SweepProgress) => void) => Promise<SweepResult>;
  readonly onProgress: (progress: FigureProgress) => void;
  readonly signal?: AbortSignal | undefined;
  /** Wraps work that takes long in one go, during which no signal gets through. Default: just does it. */
  readonly blocking?: <T>(work: () => T) => T;
}

/** A computation with a picture: how its numbers come about, are drawn and judged. */
export interface Study<Data> {
  /** Of its files: `figure-01`. */
  readonly name: string;
  readonly title: string;
  /** @throws the signal's reason when aborted; parts that were finished are kept */
  compute(context: FigureContext): Promise<Data>;
  sheet(data: Data, theme: Theme): Sheet;
  /** The numbers behind each panel, by the panel's letter. */
  tables(data: Data): Readonly<Record<string, DataTable>>;
  /** Settings and scalars, for the JSON file. Plain data. */
  settings(data: Data): Readonly<Record<string, unknown>>;
  checks(data: Data): readonly Check[];
}

/** One of the paper's figures. */
export interface Figure<Data> extends Study<Data> {
  readonly number: number;
}

/** Lets Ctrl-C and progress through between two pieces of work. */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}
