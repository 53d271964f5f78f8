import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
  readonly full?: boolean;
  readonly seconds?: string;
  readonly out: string;
  readonly seeds?: string;
  readonly data?: string;
  readonly only?: string;
  readonly shard?: string;
  readonly write?: string;
}

/** `sedge study control`: whether it helps to let K choose the learning rate. */
export function defineStudy(command: Command, io: Io, finish: Finish): void {
  command
    .argument("<name>", "which study: control")
    .option("--quick", "MNIST FCN alone, two seeds, few steps: minutes")
    .option("--full", "networks at full width, more steps, more starts: days")
    .option("--seconds <number>", "begin no run after so many; the same command goes on from there")
    .option(
      "--out <folder>",
      "where results go, one file a run; those that are there are not run again",
      "study-control",
    )
    .option("--seeds <number>", "default 5, with --quick 2")
    .option("--data <folder>", "with CIFAR-10; what needs it is left out without")
    .option("--only <tasks>", "names, with commas between them")
    .option("--shard <i/n>", "every n-th run from the i-th on, for several processes at once")
    .option("--write <page>", "a Markdown page whose tables, between its two marks, are replaced by these")
    .addHelpText("after", helpText)
    .action(
      async (name: string, { quick = false, full = false, out, seeds, data, only, shard, seconds, write }: Flags) => {
        if (name !== "control") throw new BadInput(`study: expected control, got ${JSON.stringify(name)}.`);
        if (quick && full) throw new BadInput("study: expected --quick or --full, got both.");
        const size = quick ? "quick" : full ? "full" : "standard";
        const progress = taskProgress(io);
        mkdirSync(out, { recursive: true });
        try {
          const { report, results, skipped, missing } = await controlStudy({
            ...{ size, folder: join(out, size), data, only: only?.split(",") },
            ...(seeds !== undefined && { seeds: parseWholeNumber("--seeds", seeds) }),
            ...(seconds !== undefined && { seconds: parseWholeNumber("--seconds", seconds) }),
            ...(shard !== undefined && { shard: parseShard(shard) }),
            onProgress: (update) => progress.update(update),
            signal: io.interrupted,
          });
          progress.stop();
          const path = join(out, `${size}.md`);
          writeFileSync(path, `${report}\n`);
          const { controlPicture, darkTheme, lightTheme } = await import("@sedge/lab/figures");
          for (const theme of [lightTheme, darkTheme]) {
            const picture = controlPicture(results, theme);
            if (picture !== null) writeFileSync(join(out, `${size}-${theme.name}.svg`), picture);
          }
          if (write !== undefined) writeFileSync(write, withTables(readFileSync(write, "utf8"), report, write));
          io.print(report);
          for (const line of skipped) io.note(`Left out: ${line}`);
          if (missing > 0)
            io.note(`${missing} runs are not made yet: another shard's, or the same command goes on with them.`);
          io.note(`Written to ${path}, the picture beside it.`);
        } catch (error) {
          progress.stop();
          if (!io.interrupted.aborted) throw error;
          io.note("Interrupted. Runs that were finished are kept; the same command goes on from there.");
          finish(exitCodes.interrupted);
        }
      },
    );
}

const marks = ["<!-- study: tables -->", "<!-- study: end -->"] as const;

/** A page with what stands between its marks replaced. */
function withTables(page: string, tables: string, path: string): string {
  const [begin, end] = [page.indexOf(marks[0]), page.indexOf(marks[1])];
  if (begin < 0 || end < begin) throw new BadInput(`--write: ${path}: expected the lines ${marks.join(" and ")}.`);
  return `${page.slice(0, begin + marks[0].length)}\n\n${tables}\n\n${page.slice(end)}`;
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
