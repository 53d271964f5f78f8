import type { Study } from "@sedge/lab/figures";
import { exitCodes } from "../exit-codes.js";
import type { Io } from "../io.js";
import type { Finish } from "../program.js";
import { defaultStore } from "../store-option.js";
import { sweepIntoStore } from "../sweep/sweep-into-store.js";
import { formatDuration } from "./format.js";
import { prepareOutputFolder } from "./output-folder.js";
import { taskProgress } from "./task-progress.js";

export interface StudyOptions {
  /** Folder for the files. */
  readonly out: string;
  readonly quick: boolean;
  readonly seed: number;
  /** Folder of the store to which a study's sweeps go. Default that of every command. */
  readonly store?: string;
  /** Further files, by name. */
  readonly extraFiles?: (tables: ReturnType<Study<unknown>["tables"]>) => ReadonlyMap<string, Uint8Array>;
}

/** Computes a study with progress, writes its files, prints its checks. A check that fails is exit code 1. */
export async function runStudy<Data>(study: Study<Data>, io: Io, finish: Finish, options: StudyOptions): Promise<void> {
  const { folderParts, writeFigure, writeFiles } = await import("@sedge/lab/figures");
  const { out, quick, seed, store = defaultStore, extraFiles } = options;
  prepareOutputFolder(out);
  const begun = performance.now();
  const progress = taskProgress(io);
  let data: Data;
  try {
    data = await study.compute({
      quick,
      seed,
      parts: folderParts(`${out}/.parts`),
      onProgress: (update) => progress.update(update),
      sweep: (plan, onSweep) => sweepIntoStore(store, plan, { signal: io.interrupted, onProgress: onSweep }),
      signal: io.interrupted,
      blocking: (work) => io.blocking(work),
    });
  } catch (error) {
    if (!io.interrupted.aborted) throw error;
    io.note("Interrupted. Parts that were finished are kept; the same command goes on from there.");
    finish(exitCodes.interrupted);
    return;
  } finally {
    progress.stop();
  }
  const paths = writeFigure(study, data, out);
  if (extraFiles !== undefined) paths.push(...writeFiles(out, extraFiles(study.tables(data))));

  const { green, red, bold } = io.colours;
  const checks = study.checks(data);
  io.print(bold(study.title));
  for (const { claim, measured, holds } of checks) {
    io.print(`  ${holds ? green("holds") : red("FAILS")}  ${claim}: ${measured}`);
  }
  for (const path of paths) io.print(path);
  io.note(`Done in ${formatDuration((performance.now() - begun) / 1000)}.`);
  if (checks.some(({ holds }) => !holds)) finish(exitCodes.failed);
}
