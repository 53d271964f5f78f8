import { BadInput } from "@sedge/lab";
import {
  figure01,
  figure02,
  figure03,
  figure04,
  figure05,
  figure07,
  figure08,
  figure09,
  type Figure,
} from "@sedge/lab/figures";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { runStudy, type StudyOptions } from "../output/study.js";
import { parseWholeNumber } from "../parse-number.js";
import type { Finish } from "../program.js";
import { addStoreOption } from "../store-option.js";

/** A figure without the type of its data, which only the figure itself needs to know. */
interface AnyFigure {
  readonly number: number;
  readonly title: string;
  make(io: Io, finish: Finish, options: StudyOptions): Promise<void>;
}

const figures: readonly AnyFigure[] = [
  makeable(figure01),
  makeable(figure02),
  makeable(figure03),
  makeable(figure04),
  makeable(figure05),
  makeable(figure07),
  makeable(figure08),
  makeable(figure09),
];

interface FigureFlags {
  readonly quick?: boolean;
  readonly full?: boolean;
  readonly out: string;
  readonly seed: string;
  readonly store: string;
}

/** `sedge figure N`: computes, checks, draws and writes one of the paper's figures. */
export function defineFigure(command: Command, io: Io, finish: Finish): void {
  addStoreOption(command)
    .argument("<number>", `which figure: ${figures.map(({ number }) => number).join(", ")}`)
    .option("--quick", "fewer seeds and steps: the same picture, rougher; minutes for 3 to 5, seconds for the others")
    .option("--full", "as large as the paper's, which is the default: hours for 3 to 5, minutes for the others")
    .option("--out <folder>", "where the files go", "figures")
    .option("--seed <number>", "of everything random", "1")
    .addHelpText("after", helpText)
    .action(async (given: string, { out, quick = false, full = false, seed, store }: FigureFlags) => {
      if (quick && full) throw new BadInput("figure: expected --quick or --full, got both.");
      const figure = figures.find(({ number }) => String(number) === given);
      if (figure === undefined) {
        const known = figures.map(({ number, title }) => `${number} (${title})`).join(", ");
        throw new BadInput(`figure: expected ${known}, got ${JSON.stringify(given)}.`);
      }
      await figure.make(io, finish, { out, quick, store, seed: parseWholeNumber("--seed", seed) });
    });
}

function makeable<Data>(figure: Figure<Data>): AnyFigure {
  const { number, title } = figure;
  return { number, title, make: (io, finish, options) => runStudy(figure, io, finish, options) };
}

const helpText = `
Writes SVG and PNG in light and dark, the numbers as JSON and as one CSV a panel, and prints the paper's qualitative
claims as inequalities with what was measured. Where a claim fails the exit code is 1.

Figures:
${figures.map(({ number, title }) => `  ${number}  ${title}`).join("\n")}

Finished parts are kept in the output folder (.parts), so an interrupted figure goes on where it was. 3 to 5 are sweeps,
trained on all cores and kept in the store: sweep figure-03, or figure-03-quick, as sedge sweep has them.

Examples:
  sedge figure 1 --quick
  sedge figure 2 --out figures --seed 7`;
