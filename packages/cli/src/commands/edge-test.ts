import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BadInput, checkpointPath, edgeTest, loadCheckpoint, type EdgeTestResult } from "@sedge/lab";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { formatNumber } from "../output/format.js";
import { toJson } from "../output/json.js";
import { table } from "../output/table.js";
import { taskProgress } from "../output/task-progress.js";
import { parseWholeNumber } from "../parse-number.js";
import type { Finish } from "../program.js";
import { exitCodes } from "../exit-codes.js";
import { addStoreOption, withStore } from "../store-option.js";

interface Flags {
  readonly store: string;
  readonly checkpoint?: string;
  readonly seeds: string;
  readonly steps: string;
  readonly examples: string;
  readonly batchSize?: string;
  readonly json?: boolean;
}

/** `sedge edge-test RUN`: where the run's loss really blows up, beside what was predicted. */
export function defineEdgeTest(command: Command, io: Io, finish: Finish): void {
  command.argument("<run>", "an id, the beginning of one, or a name");
  addStoreOption(command)
    .option("--checkpoint <step>", "the step that the run's checkpoint must be of; default whichever it is")
    .option("--seeds <number>", "minibatch streams, each with an edge of its own", "3")
    .option("--steps <number>", "of every short run", "1000")
    .option("--examples <number>", "n, on which K is measured for the predictions", "64")
    .option("--batch-size <number>", "B of the short runs; default the run's")
    .option("--json", "print JSON instead of a table")
    .addHelpText("after", helpText)
    .action(async (given: string, flags: Flags) => {
      const { store: folder, json } = flags;
      const id = await withStore(folder, { readOnly: true }, (store) => store.run(given).id);
      const checkpoint = loadCheckpoint(checkpointPath(folder, id));
      if (flags.checkpoint !== undefined && Number(flags.checkpoint) !== checkpoint.step) {
        throw new BadInput(
          `--checkpoint: expected ${checkpoint.step}, the step of the one checkpoint that a run keeps, got ${flags.checkpoint}.`,
        );
      }
      const count = (flag: string, text: string, least: number) => parseWholeNumber(flag, text, least);
      const progress = taskProgress(io);
      let result: EdgeTestResult;
      try {
        result = await edgeTest({
          checkpoint,
          seeds: count("--seeds", flags.seeds, 2),
          steps: count("--steps", flags.steps, 16),
          examples: count("--examples", flags.examples, 2),
          ...(flags.batchSize !== undefined && { batchSize: count("--batch-size", flags.batchSize, 1) }),
          parts: fileParts(join(folder, "edge-tests")),
          onProgress: (update) => progress.update(update),
          signal: io.interrupted,
        });
      } catch (error) {
        if (!io.interrupted.aborted) throw error;
        io.note("Interrupted. Seeds that were finished are kept; the same command goes on from there.");
        finish(exitCodes.interrupted);
        return;
      } finally {
        progress.stop();
      }
      await withStore(folder, { readOnly: false }, (store) =>
        store.record(id, {
          probes: [{ step: checkpoint.step, time: Date.now(), kind: "edge-test", data: { ...result } }],
        }),
      );
      io.print(json ? toJson({ run: id, ...result }) : page(id, result, io));
    });
}

function page(
  id: string,
  { step, batchSize, learningRate, measured, predicted, definition }: EdgeTestResult,
  io: Io,
): string {
  const rows = Object.entries(predicted).map(([name, value]) => [
    name,
    formatNumber(value),
    formatNumber(value / measured.value),
  ]);
  const columns = [
    { title: "predicted by" },
    { title: "critical η", align: "right" as const },
    { title: "over measured", align: "right" as const },
  ];
  const bar = Number.isFinite(measured.standardError) ? ` ± ${formatNumber(measured.standardError, 2)}` : "";
  return (
    `${io.colours.bold(id)}, step ${step}, B = ${batchSize}: the loss blows up from η = ${formatNumber(measured.value)}${bar} on ` +
    `(the run's η is ${formatNumber(learningRate)}).\n${io.colours.dim(`Blowing up: ${definition}.`)}\n\n${table(columns, rows, io.colours)}`
  );
}

/** One small file for every part that is done. */
function fileParts(folder: string) {
  const path = (name: string) => join(folder, `${name}.json`);
  return {
    read(name: string): unknown {
      try {
        return JSON.parse(readFileSync(path(name), "utf8"));
      } catch {
        return null; // not done yet, or cut short
      }
    },
    write(name: string, value: unknown): void {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path(name), JSON.stringify(value));
    },
  };
}

const helpText = `
Short runs go out from the checkpoint, each with its own constant η, and the smallest η whose loss blows up is found by
bisection for every seed. The standard error is over the seeds. Learning rates are in units of one over curvature.

Examples:
  sedge edge-test first
  sedge edge-test first --batch-size 8 --seeds 5 --json`;
