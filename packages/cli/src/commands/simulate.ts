import type { Study } from "@sedge/lab/figures";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { runStudy } from "../output/study.js";
import { parseWholeNumber } from "../parse-number.js";
import type { Finish } from "../program.js";
import { linearProblem, type LinearFlags } from "../simulate/linear-problem.js";
import { tableToParquet } from "../simulate/parquet.js";
import { quadraticProblem, type QuadraticFlags } from "../simulate/quadratic-problem.js";

interface OutputFlags {
  readonly out: string;
  readonly seed: string;
}

/** `sedge simulate linear|quadratic`: many seeds of SGD, beside what theory says of their mean. */
export function defineSimulate(command: Command, io: Io, finish: Finish): void {
  const linear = command
    .command("linear")
    .description("SGD on a linear system: loss over many seeds beside the exact, Volterra and diagonal curves.")
    .argument("[file]", "a theory file with one case (sedge help theory); without it random Gaussian features")
    .option("--examples <number>", "N", "100")
    .option("--params <number>", "P", "120")
    .option("--outputs <number>", "C, outputs of each example", "1")
    .option("--batch-size <number>", "B, examples", "5")
    .option("--learning-rate <number>", "η, in units of one over curvature (default: what --noise-kernel asks for)")
    .option("--noise-kernel <number>", "K exact, dimensionless: sets η where that is not given", "0.5")
    .option(
      "--sampling <name>",
      "without-replacement | with-replacement | bernoulli | epoch-shuffle",
      "without-replacement",
    )
    .option("--momentum <number>", "m in [0, 1), heavy ball", "0")
    .option("--nesterov", "the momentum is Nesterov's")
    .option("--weight-decay <number>", "δ, L2", "0")
    .option("--label-noise <number>", "standard deviation of noise on the labels, fresh in each draw", "0")
    .option("--steps <number>", "optimiser updates", "1000");
  addOutputFlags(linear, "100").action(async (path: string | undefined, flags: LinearFlags & OutputFlags) => {
    const { linearSimulation } = await import("@sedge/lab/figures");
    await simulate(linearSimulation(linearProblem(path, flags)), flags);
  });

  const quadratic = command
    .command("quadratic")
    .description("SGD on the quadratic regression model: λ_max and loss over many seeds, for several batch sizes.")
    .option("--examples <number>", "N", "40")
    .option("--params <number>", "P", "50")
    .option("--curvature <number>", "standard deviation of the model's second derivatives", "0.03")
    .option("--weighting <name>", "flat (V = 1) | scaled (V = σ, weighted towards large modes)", "flat")
    .option("--batch-sizes <a,b,…>", "B of each curve, examples", "3,5,10,40")
    .option("--edge <number>", "λ_max·η/2 at the start, dimensionless: sets η where that is not given", "0.1")
    .option("--learning-rate <number>", "η, in units of one over curvature")
    .option(
      "--sampling <name>",
      "without-replacement | with-replacement | bernoulli | epoch-shuffle",
      "without-replacement",
    )
    .option("--steps <number>", "optimiser updates", "200");
  addOutputFlags(quadratic, "50").action(async (flags: QuadraticFlags & OutputFlags) => {
    const { quadraticSimulation } = await import("@sedge/lab/figures");
    await simulate(quadraticSimulation(quadraticProblem(flags)), flags);
  });
  command.addHelpText("after", helpText);

  function addOutputFlags(to: Command, seeds: string): Command {
    return to
      .option("--seeds <number>", "how many seeds", seeds)
      .option("--seed <number>", "names the random streams", "1")
      .option("--out <folder>", "where the files go", "simulation");
  }

  async function simulate<Data>(study: Study<Data>, { out, seed }: OutputFlags): Promise<void> {
    const extraFiles = (tables: ReturnType<Study<Data>["tables"]>) =>
      new Map(
        Object.entries(tables).map(
          ([panel, table]) => [`${study.name}-${panel}.parquet`, tableToParquet(table)] as const,
        ),
      );
    await runStudy(study, io, finish, { out, quick: false, seed: parseWholeNumber("--seed", seed), extraFiles });
  }
}

const helpText = `
Writes SVG and PNG in light and dark, and the numbers as JSON, CSV and Parquet, to the folder of --out. The same seed
gives the same numbers on every machine.

Examples:
  sedge simulate linear --noise-kernel 0.9 --steps 5000 --seeds 200
  sedge simulate linear system.json --out out
  sedge simulate quadratic --weighting scaled --batch-sizes 4,8,40`;
