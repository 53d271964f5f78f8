import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { exitCodeOf, exitCodes, type ExitCode } from "./exit-codes.js";
import type { Io } from "./io.js";

/** Runs a command and says how it ended. Throws what `exitCodeOf` knows to read. */
export type Finish = (code: ExitCode) => void;
/** Adds arguments, options, help and action to a bare command. The action calls `finish` unless all went well. */
export type Definition = (command: Command, io: Io, finish: Finish) => void;

/** Every command and where it is written. Only the one that is called is loaded: `sedge --help` needs none of them. */
const commands: readonly { name: string; summary: string; load: () => Promise<Definition> }[] = [
  {
    name: "demo",
    summary: "MNIST at three learning rates, live dashboard, verdict (what npm start runs)",
    load: async () => (await import("./commands/demo.js")).defineDemo,
  },
  {
    name: "train",
    summary: "one run, from a preset or a config file; every config key is also a flag",
    load: async () => (await import("./commands/train.js")).defineTrain,
  },
  {
    name: "data",
    summary: "download data sets; list what is known and what is here",
    load: async () => (await import("./commands/data.js")).defineData,
  },
  {
    name: "sweep",
    summary: "many runs over a grid of settings, on this machine or on Slurm",
    load: async () => (await import("./commands/sweep.js")).defineSweep,
  },
  {
    name: "serve",
    summary: "the dashboard and the API of the runs in a store",
    load: async () => (await import("./commands/serve.js")).defineServe,
  },
  {
    name: "runs",
    summary: "list, show, compare, export, tag, check and delete runs",
    load: async () => (await import("./commands/runs.js")).defineRuns,
  },
  {
    name: "report",
    summary: "a run or a sweep as one page: figures, tables, settings, how to reproduce",
    load: async () => (await import("./commands/report.js")).defineReport,
  },
  {
    name: "measure",
    summary: "both edges of an ONNX model on your data: K, λ_max, spectrum, layers, advice",
    load: async () => (await import("./commands/measure.js")).defineMeasure,
  },
  {
    name: "advise",
    summary: "what to change about a run, and why",
    load: async () => (await import("./commands/advise.js")).defineAdvise,
  },
  {
    name: "edge-test",
    summary: "where a run's loss really blows up, beside what K and λ_max predicted",
    load: async () => (await import("./commands/edge-test.js")).defineEdgeTest,
  },
  {
    name: "study",
    summary: "studies of Sedge itself: control, whether it helps to let K choose the learning rate",
    load: async () => (await import("./commands/study.js")).defineStudy,
  },
  {
    name: "theory",
    summary: "both edges of a Jacobian or NTK: K four ways, critical learning rates",
    load: async () => (await import("./commands/theory.js")).defineTheory,
  },
  {
    name: "simulate",
    summary: "Monte Carlo beside theory: linear SGD, the quadratic model",
    load: async () => (await import("./commands/simulate.js")).defineSimulate,
  },
  {
    name: "figure",
    summary: "the paper's figures with exact K: SVG, PNG, data",
    load: async () => (await import("./commands/figure.js")).defineFigure,
  },
  {
    name: "doctor",
    summary: "which back ends are in use; reruns the reference cases",
    load: async () => (await import("./commands/doctor.js")).defineDoctor,
  },
];

/**
 * Runs one command line.
 *
 * @param argv  What follows `sedge`.
 * @returns The exit code. Faults are one line on standard error: `sedge train: learningRate: expected …`.
 */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const called = argv.find((argument, i) => !argument.startsWith("-") && argv[i - 1] !== "--blas");
  const name = called === "help" ? argv[argv.indexOf("help") + 1] : called;
  let code: ExitCode = exitCodes.done;
  try {
    const program = bare(new Command("sedge"), io)
      .description("The stability instrument for stochastic gradient descent.")
      .version(version(), "-V, --version", "print the version")
      .option("--blas <library>", "dense linear algebra: auto, typescript, lapack, or a library's path")
      .option("--debug", "on failure, print where in the code it happened")
      .addHelpText("after", `\nExit codes: 0 done, 1 failed, 2 bad input, 3 diverged, 130 interrupted.`);
    for (const { name: known, summary, load } of commands) {
      const command = bare(program.command(known), io)
        .summary(summary)
        .description(`${capitalise(summary)}.`);
      if (known === name) (await load())(command, io, (given) => (code = given));
    }
    // An environment variable, because the processes that train must choose alike.
    program.hook("preAction", () => {
      const { blas } = program.opts<{ blas?: string }>();
      if (blas !== undefined) process.env["SEDGE_BLAS"] = blas;
    });
    if (argv.length === 0) {
      program.outputHelp();
      return exitCodes.done;
    }
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0 || error.code === "commander.help") return exitCodes.done;
      io.note(`${prefix(name)}: ${oneLine(error.message.replace(/^error: /, ""))}`);
      return exitCodes.badInput;
    }
    const text = error instanceof Error ? error.message : String(error);
    io.note(`${prefix(name)}: ${oneLine(text)}`);
    if (argv.includes("--debug") && error instanceof Error && error.stack) io.note(error.stack);
    return exitCodeOf(error);
  }
}

function prefix(name: string | undefined): string {
  return commands.some((command) => command.name === name) ? `sedge ${name}` : "sedge";
}

/** Errors are thrown and not printed, help goes to standard output, and suggestions are on. */
function bare(command: Command, io: Io): Command {
  return command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.print(text.replace(/\n$/, "")),
      writeErr: (text) => io.print(text.replace(/\n$/, "")),
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(Math.max(io.columns, 60), 110),
      getErrHelpWidth: () => Math.min(Math.max(io.columns, 60), 110),
    })
    .configureHelp({ showGlobalOptions: false })
    .showSuggestionAfterError();
}

/** The version of this package. */
export function version(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}

const oneLine = (text: string) => text.trim().replace(/\s*\n\s*/g, " ");
const capitalise = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
