import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  BadInput,
  cancelSlurm,
  groupRuns,
  localScheduler,
  parseSweepConfig,
  planSweep,
  readConfigFile,
  readSweep,
  slurmScheduler,
  slurmState,
  sweepStatus,
  type Scheduler,
  type SweepPlan,
  type SweptRun,
  type TaskEvent,
} from "@sedge/lab";
import { Option, type Command } from "commander";
import { namedConfig } from "../config/presets.js";
import { exitCodes } from "../exit-codes.js";
import type { Io } from "../io.js";
import { formatCount, formatNumber, formatRatio } from "../output/format.js";
import { toJson } from "../output/json.js";
import { table } from "../output/table.js";
import { parseWholeNumber } from "../parse-number.js";
import type { Finish } from "../program.js";
import { addStoreOption } from "../store-option.js";
import { sweepTag } from "../sweep/store-sink.js";
import { sweepFolder, sweepIntoStore } from "../sweep/sweep-into-store.js";
import { sweepDisplay } from "../sweep/sweep-display.js";

interface Options {
  readonly store: string;
  readonly engine: "local" | "slurm";
  readonly workers?: string;
  readonly vectorise: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `sedge sweep CONFIG`, and what is asked of a sweep later. */
export function defineSweep(command: Command, io: Io, finish: Finish): void {
  command
    .argument("[config]", "a .yaml, .yml or .json file")
    .addOption(new Option("--engine <name>", "where the runs train").choices(["local", "slurm"]).default("local"))
    .option("--workers <number>", "processes on this machine (default: as many as cores)")
    .option("--no-vectorise", "every run in a graph of its own")
    .option("--dry-run", "print the runs and train none")
    .option("--json", "print the result as JSON");
  addStoreOption(command)
    .addHelpText("after", helpText)
    .action(async (file: string | undefined, options: Options) => {
      if (file === undefined) throw new BadInput("config: expected a .yaml, .yml or .json file, got nothing.");
      const config = parseSweepConfig(readConfigFile(file), file);
      const planned = planSweep(config, { source: file, named: namedConfig });
      const workers = options.workers === undefined ? planned.workers : parseWholeNumber("--workers", options.workers);
      const plan: SweepPlan = {
        ...planned,
        vectorise: planned.vectorise && options.vectorise,
        ...(workers !== undefined && { workers }),
      };
      const scheduler =
        options.engine === "slurm" ? slurmScheduler({ settings: plan.slurm }) : localScheduler({ workers });
      if (options.dryRun) return printPlan(plan, scheduler, options, io);
      await scheduler.check();
      await sweep(plan, scheduler, options, io, finish);
    });

  addStoreOption(command.command("list").description("The sweeps of a store.")).action(
    (_: unknown, { parent }: Command) => {
      const { store } = parent!.opts<Options>();
      const home = join(store, "sweeps");
      const names = existsSync(home)
        ? readdirSync(home).filter((name) => existsSync(join(home, name, "sweep.json")))
        : [];
      const rows = names.map((name) => {
        const plan = readSweep(join(home, name));
        const counts = countsOf(sweepStatus(join(home, name), plan));
        return [name, String(plan.runs.length), counts, plan.axes.map(({ key }) => key).join(" × ")];
      });
      if (rows.length === 0) return io.note(`There is no sweep in ${store}.`);
      io.print(
        table(
          [{ title: "sweep" }, { title: "runs", align: "right" }, { title: "status" }, { title: "axes" }],
          rows,
          io.colours,
        ),
      );
    },
  );

  addStoreOption(command.command("status <name>").description("How the runs of a sweep stand.")).action(
    async (name: string, _: unknown, { parent }: Command) => {
      const { store, json } = parent!.opts<Options>();
      const folder = sweepFolder(store, name);
      const runs = sweepStatus(folder, readSweep(folder));
      if (json) return io.print(toJson({ name, runs: runs.map(plain) }));
      io.print(runTable(runs, io));
      io.note(`${name}: ${countsOf(runs)}`);
      const queue = existsSync(join(folder, "slurm", "job.json")) ? await slurmState(folder) : undefined;
      const out = queue?.filter(({ state }) => state === "waiting" || state === "running") ?? [];
      if (out.length > 0)
        io.note(`Slurm has ${out.length} of its tasks: ${out.map(({ reason }) => reason).join(", ")}.`);
    },
  );

  addStoreOption(
    command.command("cancel <name>").description("Stops the Slurm tasks of a sweep; its runs can go on later."),
  ).action(async (name: string, _: unknown, { parent }: Command) => {
    const folder = sweepFolder(parent!.opts<Options>().store, name);
    readSweep(folder);
    if (!(await cancelSlurm(folder))) {
      throw new BadInput(`${name}: no task of it is with Slurm; a local sweep ends with Ctrl-C.`);
    }
    io.note(`${name}: cancelled. The same command as before goes on from its checkpoints.`);
  });
}

async function sweep(plan: SweepPlan, scheduler: Scheduler, options: Options, io: Io, finish: Finish): Promise<void> {
  const display = sweepDisplay(io);
  const onTask = (event: TaskEvent) => {
    if (event.type === "task-retried") io.note(`task ${event.task}: ${event.reason}; it is tried again`);
  };
  const result = await sweepIntoStore(options.store, plan, {
    scheduler,
    signal: io.interrupted,
    onProgress: (progress) => display.update(progress),
    onTask,
  }).finally(() => display.stop());
  if (options.json) io.print(toJson({ ...result, runs: result.runs.map(plain) }));
  else io.print(runTable(result.runs, io));
  for (const { label, status, message } of result.runs) {
    if (status === "failed") io.note(`sedge sweep: ${label}: ${message ?? "failed"}`);
  }
  io.note(`${plan.name}: ${countsOf(result.runs)}. The runs carry the tag ${sweepTag(plan.name)} in ${options.store}.`);
  if (io.interrupted.aborted) {
    const left = scheduler.name === "slurm" ? " Slurm goes on with its tasks." : "";
    io.note(`Interrupted.${left} The same command goes on from there.`);
    finish(exitCodes.interrupted);
  } else if (result.runs.some(({ status }) => status === "failed") || result.status !== "finished") {
    finish(exitCodes.failed);
  }
}

function printPlan(plan: SweepPlan, scheduler: Scheduler, { json }: Options, io: Io): void {
  const groups = groupRuns(plan.runs, { vectorise: plan.vectorise, workers: scheduler.workers ?? 1 });
  if (json) return io.print(toJson({ ...plan, groups: groups.map((group) => group.map(({ id }) => id)) }));
  const rows = groups.flatMap((group, i) =>
    group.map(({ id, label, config }) => [id, label, formatCount(config.steps), String(i + 1)]),
  );
  const columns = [
    { title: "run" },
    { title: "settings" },
    { title: "steps", align: "right" as const },
    { title: "graph", align: "right" as const },
  ];
  io.print(table(columns, rows, io.colours));
  io.note(`${plan.runs.length} runs in ${groups.length} graphs, ${scheduler.name} engine. Nothing was trained.`);
}

function runTable(runs: readonly SweptRun[], io: Io): string {
  const rows = runs.map(({ id, label, status, step, latest }) => [
    ...[id, label, status ?? "waiting", formatCount(step), formatNumber(latest["loss/train"])],
    ...[formatRatio(latest["noiseKernel/exact"]), formatRatio(latest["edge/deterministic"])],
  ]);
  const right = (title: string) => ({ title, align: "right" as const });
  const columns = [
    { title: "run" },
    { title: "settings" },
    { title: "status" },
    ...["step", "loss", "K", "λ_max·η/2"].map(right),
  ];
  return table(columns, rows, io.colours);
}

function countsOf(runs: readonly SweptRun[]): string {
  const counts = new Map<string, number>();
  for (const { status = "waiting" } of runs) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
}

const plain = ({ id, label, config, status, step, message, latest }: SweptRun) => ({
  ...{ id, label, status: status ?? "waiting", step, message: message ?? null, config, latest },
});

const helpText = `
A config names the sweep, the settings of every run and what is varied:

  name: phases
  base: mnist-fcn            # a preset, a file, or keys as for sedge train
  grid:
    learningRate: [0.003, 0.01, 0.03]
    batchSize: [1, 8, 64]
    seed: [0, 1, 2]

Every combination is a run. Runs that have ended are skipped when the command is given again, others go on from their
checkpoints, failed ones are tried again. A diverged run is a result: the exit code is 1 only where a run failed.

Examples:
  sedge sweep phases.yaml --dry-run
  sedge sweep phases.yaml --workers 2
  sedge sweep phases.yaml --engine slurm
  sedge sweep status phases`;
