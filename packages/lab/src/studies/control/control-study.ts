import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openDataset } from "../../data/open-dataset.js";
import { parseTrainConfig } from "../../config/train-config.js";
import { writeWhole } from "../../write-whole.js";
import { cellsOf, tasks, type Task } from "./cells.js";
import { controlReport } from "./report.js";
import { runCell, type CellResult } from "./run-cell.js";

export interface ControlStudyOptions {
  /** MNIST FCN alone, two seeds, few steps. Default false. */
  readonly quick?: boolean;
  /** Folder of the results, one file a run: what is there is not run again. */
  readonly folder: string;
  /** Default 5, quick 2. */
  readonly seeds?: number;
  /** Folder with CIFAR-10. */
  readonly data?: string | undefined;
  /** Tasks to run, by name. Default all. */
  readonly only?: readonly string[] | undefined;
  /** Every `of`-th run from `index` on, so that several processes share the work. */
  readonly shard?: { readonly index: number; readonly of: number };
  readonly onProgress?: (progress: { readonly label: string; readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface ControlStudy {
  readonly results: readonly CellResult[];
  /** Tasks left out, and why. */
  readonly skipped: readonly string[];
  /** Runs not made yet, by this process or another. */
  readonly missing: number;
  readonly report: string;
}

/** Whether to let K choose η: see docs/studies/control.md. Resumable: every run is a file. */
export async function controlStudy(options: ControlStudyOptions): Promise<ControlStudy> {
  const { quick = false, folder, seeds = quick ? 2 : 5, data, only, shard = { index: 0, of: 1 }, signal } = options;
  mkdirSync(folder, { recursive: true });
  const skipped: string[] = [];
  const wanted: Task[] = [];
  for (const task of tasks(quick, data).filter(({ name }) => only?.includes(name) ?? true)) {
    const absent = task.needsData ? await whyAbsent(task) : null;
    if (absent === null) wanted.push(task);
    else skipped.push(`${task.name}: ${absent}`);
  }
  const cells = wanted.flatMap((task) => cellsOf(task, seeds, quick).map((cell) => ({ cell, task })));
  const pathOf = (name: string) => join(folder, `${name}.json`);
  for (const [i, { cell, task }] of cells.entries()) {
    if (i % shard.of !== shard.index || existsSync(pathOf(cell.name))) continue;
    signal?.throwIfAborted();
    options.onProgress?.({ label: cell.name, done: i, total: cells.length });
    const result = await runCell(cell, { targetLoss: task.targetLoss, edgeSteps: quick ? 500 : 1000, signal });
    writeWhole(pathOf(cell.name), new TextEncoder().encode(JSON.stringify(result, null, 1)));
  }
  options.onProgress?.({ label: "report", done: cells.length, total: cells.length });
  const results = cells
    .filter(({ cell }) => existsSync(pathOf(cell.name)))
    .map(({ cell }) => JSON.parse(readFileSync(pathOf(cell.name), "utf8")) as CellResult);
  return { results, skipped, missing: cells.length - results.length, report: controlReport(results) };
}

async function whyAbsent({ base }: Task): Promise<string | null> {
  try {
    const { data } = parseTrainConfig(base);
    await openDataset({ ...data, examples: 1, testExamples: 1 });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
