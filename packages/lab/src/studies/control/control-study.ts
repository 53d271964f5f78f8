import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openDataset } from "../../data/open-dataset.js";
import { parseTrainConfig } from "../../config/train-config.js";
import { writeWhole } from "../../write-whole.js";
import { cellsOf, tasks, type Cell, type StudySize, type Task } from "./cells.js";
import { controlReport } from "./report.js";
import { runCell, type CellResult } from "./run-cell.js";

export interface ControlStudyOptions {
  /**
   * quick: MNIST FCN alone, two seeds, few steps. standard: eight tasks with small networks, some 90 minutes of one core. full:
   * the networks at full width, more steps, more starts, days. Default standard.
   */
  readonly size?: StudySize;
  /** What is studied. Default the study's own tasks. */
  readonly tasks?: readonly Task[];
  /** Folder of the results, one file a run: what is there is not run again. */
  readonly folder: string;
  /** Default 5, quick 2. */
  readonly seeds?: number;
  /** Folder with CIFAR-10. */
  readonly data?: string | undefined;
  /** Tasks to run, by name. Default all. */
  readonly only?: readonly string[] | undefined;
  /** Begins no run after so many seconds. Default no limit. */
  readonly seconds?: number;
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
  const { size = "standard", folder, data, only, shard = { index: 0, of: 1 }, seconds = Infinity, signal } = options;
  const { seeds = size === "quick" ? 2 : 5 } = options;
  const began = performance.now();
  mkdirSync(folder, { recursive: true });
  const skipped: string[] = [];
  const wanted: Task[] = [];
  for (const task of (options.tasks ?? tasks(size, data)).filter(({ name }) => only?.includes(name) ?? true)) {
    const absent = task.needsData ? await whyAbsent(task) : null;
    if (absent === null) wanted.push(task);
    else skipped.push(`${task.name}: ${absent}`);
  }
  // Seed by seed, so that a study that is cut short has the same seeds of every task.
  const cells = Array.from({ length: seeds }, (_, seed) => wanted.flatMap((task) => cellsOf(task, seed, size))).flat();
  const pathOf = (name: string) => join(folder, `${name}.json`);
  for (const [i, cell] of cells.entries()) {
    if (performance.now() - began >= 1000 * seconds) break;
    if (i % shard.of !== shard.index || readResult(pathOf(cell.name), cell)) continue;
    signal?.throwIfAborted();
    options.onProgress?.({ label: cell.name, done: i, total: cells.length });
    const result = await runCell(cell, signal);
    writeWhole(pathOf(cell.name), new TextEncoder().encode(JSON.stringify(result)));
  }
  options.onProgress?.({ label: "report", done: cells.length, total: cells.length });
  const results = cells.flatMap((cell) => readResult(pathOf(cell.name), cell) ?? []);
  return { results, skipped, missing: cells.length - results.length, report: controlReport(results) };
}

/** What is stored of a cell; null where nothing is, or of another config under its name. */
function readResult(path: string, cell: Cell): CellResult | null {
  if (!existsSync(path)) return null;
  const stored = JSON.parse(readFileSync(path, "utf8")) as CellResult;
  return identity(stored) === identity(cell) ? stored : null;
}

/** All that a cell's result depends on but for where its data are. */
const identity = ({ config, edgeTest }: Cell) =>
  JSON.stringify([{ ...config, data: { ...config.data, path: undefined } }, edgeTest]);

async function whyAbsent({ base }: Task): Promise<string | null> {
  try {
    const { data } = parseTrainConfig(base);
    await openDataset({ ...data, examples: 1, testExamples: 1 });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
