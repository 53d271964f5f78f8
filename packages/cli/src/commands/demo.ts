import { parseTrainConfig } from "@sedge/lab";
import type { RunStore } from "@sedge/server";
import type { Command } from "commander";
import { presets } from "../config/presets.js";
import { exitCodes, type ExitCode } from "../exit-codes.js";
import type { Io } from "../io.js";
import { formatCount, formatDuration } from "../output/format.js";
import { resultTable } from "../output/run-table.js";
import type { Finish } from "../program.js";
import { addStoreOption, withStore } from "../store-option.js";
import { defaultPort, parsePort, serveStore, untilInterrupted } from "../serving.js";
import { reportOutcome } from "../training/report-outcome.js";
import { exitCodeOfOutcome } from "../training/start-trainer.js";
import { trainRuns, type FinishedJob, type Job } from "../training/train-runs.js";

/** Slow and far inside; good; on the stochastic edge. */
const learningRates = [0.003, 0.01, 0.03];

interface DemoOptions {
  readonly store: string;
  readonly port?: string;
  readonly steps: string;
  readonly seed: string;
}

/** `sedge demo`: three runs side by side, the dashboard while they train, a table at the end. */
export function defineDemo(command: Command, io: Io, finish: Finish): void {
  addStoreOption(command)
    .option("--port <number>", `TCP port of the dashboard, 0 for any free one (default ${defaultPort}, or a free one)`)
    .option("--steps <number>", "optimiser updates of each run", "12000")
    .option("--seed <number>", "of the initialisation, the minibatches and the probes", "0")
    .addHelpText("after", helpText)
    .action(async ({ store: folder, port, steps, seed }: DemoOptions) => {
      const wantedPort = parsePort(port);
      const jobs = demoJobs(Number(steps), Number(seed));
      await withStore(folder, { readOnly: false }, async (store) => {
        const server = await serveStore(store, io, { port: wantedPort });
        try {
          const { steps: count } = jobs[0]!.config;
          io.note(
            `MNIST, 1000 images, MLP 784-128-128-10 tanh, squared loss, B = 1, ${formatCount(count)} steps a run.`,
          );
          io.note(`Live dashboard: ${server.url}\n`);
          const begun = performance.now();
          const finished = await trainRuns(jobs, io, { folder, store });
          const code = summarise(finished, jobs.length, store, io);
          io.note(`\nTrained in ${formatDuration((performance.now() - begun) / 1000)}.`);
          finish(code);
          if (io.interrupted.aborted) return;
          if (!io.watched) {
            io.note(`The runs are in ${store.folder}; sedge serve shows them.`);
            return;
          }
          io.print(`Dashboard: ${server.url}   (Ctrl-C ends it)`);
          await untilInterrupted(io);
        } finally {
          await server.close();
        }
      });
    });
}

function demoJobs(steps: number, seed: number): Job[] {
  const { config } = presets["mnist-fcn"]!;
  return learningRates.map((learningRate) => {
    const label = `η = ${learningRate}`;
    return { label, config: parseTrainConfig({ ...config, name: label, learningRate, steps, seed }) };
  });
}

/** Prints the table and everything that went wrong. The exit code is that of the run that went worst. */
function summarise(finished: readonly FinishedJob[], planned: number, store: RunStore, io: Io): ExitCode {
  for (const job of finished) reportOutcome(job, io, "demo");
  const trained = finished.filter(({ outcome }) => outcome.type !== "refused");
  if (trained.length > 0) {
    if (io.watched) io.note("");
    const runs = trained.map(({ runId }) => store.run(runId));
    io.print(resultTable(runs, io.colours));
  }
  if (finished.length < planned) io.note(`Interrupted before ${planned - finished.length} of ${planned} runs began.`);
  const codes = finished.map(({ outcome }) => exitCodeOfOutcome(outcome));
  const worst = [exitCodes.badInput, exitCodes.failed, exitCodes.interrupted, exitCodes.diverged];
  return io.interrupted.aborted
    ? exitCodes.interrupted
    : (worst.find((code) => codes.includes(code)) ?? exitCodes.done);
}

const helpText = `
Trains the same network at learning rates ${learningRates.join(", ")}, two at a time on two cores, and serves the dashboard
meanwhile. Where there is a terminal it goes on serving until Ctrl-C; without one, or with CI set, it ends by itself.

In the table: λ_max·η/2 is 1 on the deterministic edge, K is 1 on the stochastic edge. K exact says where that edge is;
K diagonal (the paper's form) and K trace are approximations that read low.

Examples:
  sedge demo
  sedge demo --seed 1 --store /tmp/demo`;
