import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BadInput, controlStudy } from "@sedge/lab";
import type { Command } from "commander";
import { exitCodes } from "../exit-codes.js";
import type { Io } from "../io.js";
import { taskProgress } from "../output/task-progress.js";
import { parseWholeNumber } from "../parse-number.js";
import type { Finish } from "../program.js";

interface Flags {
  readonly quick?: boolean;
  readonly out: string;
  readonly seeds?: string;
  readonly data?: string;
  readonly only?: string;
  readonly shard?: string;
}

/** `sedge study control`: whether it helps to let K choose the learning rate. */
export function defineStudy(command: Command, io: Io, finish: Finish): void {
  command
    .argument("<name>", "which study: control")
    .option("--quick", "MNIST FCN alone, two seeds, few steps: minutes")
    .option(
      "--out <folder>",
      "where results go, one file a run; those that are there are not run again",
      "study-control",
    )
    .option("--seeds <number>", "default 5, with --quick 2")
    .option("--data <folder>", "with CIFAR-10; what needs it is left out without")
    .option("--only <tasks>", "names, with commas between them")
    .option("--shard <i/n>", "every n-th run from the i-th on, for several processes at once")
    .addHelpText("after", helpText)
    .action(async (name: string, { quick = false, out, seeds, data, only, shard }: Flags) => {
      if (name !== "control") throw new BadInput(`study: expected control, got ${JSON.stringify(name)}.`);
      const progress = taskProgress(io);
      mkdirSync(out, { recursive: true });
      try {
        const { report, skipped, missing } = await controlStudy({
          ...{ quick, folder: join(out, quick ? "quick" : "runs"), data, only: only?.split(",") },
          ...(seeds !== undefined && { seeds: parseWholeNumber("--seeds", seeds) }),
          ...(shard !== undefined && { shard: parseShard(shard) }),
          onProgress: (update) => progress.update(update),
          signal: io.interrupted,
        });
        progress.stop();
        const path = join(out, quick ? "quick.md" : "report.md");
        writeFileSync(path, `${report}\n`);
        io.print(report);
        for (const line of skipped) io.note(`Left out: ${line}`);
        if (missing > 0)
          io.note(`${missing} runs are not made yet: another shard's, or the same command goes on with them.`);
        io.note(`Written to ${path}.`);
      } catch (error) {
        progress.stop();
        if (!io.interrupted.aborted) throw error;
        io.note("Interrupted. Runs that were finished are kept; the same command goes on from there.");
        finish(exitCodes.interrupted);
      }
    });
}

function parseShard(text: string): { readonly index: number; readonly of: number } {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), of: Number(of) };
  if (shard.of >= 1 && shard.index < shard.of) return shard;
  throw new BadInput(`--shard: expected i/n with i from 0 to n − 1, got ${JSON.stringify(text)}.`);
}

const helpText = `
Times are wall times with the controller's measurements and without the study's own. Intervals are 95 % over seeds.

Examples:
  sedge study control --quick
  sedge study control --only mnist-fcn --seeds 5
  sedge study control --data ~/cifar10 --shard 0/2`;
