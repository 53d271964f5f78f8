import { resolve } from "node:path";
import { BadInput, parseTrainConfig, recogniseData, trainConfigSchema, type TrainConfigInput } from "@sedge/lab";
import type { Command } from "commander";
import { namedConfig, presets } from "../config/presets.js";
import { addFlags, flagValues, mergeConfig, schemaFlags } from "../config/schema-flags.js";
import type { Io } from "../io.js";
import { resultTable } from "../output/run-table.js";
import type { Finish } from "../program.js";
import { addStoreOption, withStore } from "../store-option.js";
import { exitCodeOfOutcome } from "../training/start-trainer.js";
import { canGoOn, resumeJob } from "../training/resumable.js";
import { trainRuns, type Job } from "../training/train-runs.js";
import { reportOutcome } from "../training/report-outcome.js";

interface TrainFlags {
  readonly store: string;
  readonly resume?: string;
  readonly data?: string;
  readonly skipBroken?: boolean;
}

/** `sedge train [CONFIG|PRESET]`: one run, written to the store as it goes; or `--resume RUN`, the rest of one. */
export function defineTrain(command: Command, io: Io, finish: Finish): void {
  const flags = schemaFlags(trainConfigSchema);
  command
    .argument("[config]", "a .yaml, .yml or .json file, or a preset; without it every needed key is a flag")
    .option(
      "--resume <run>",
      "go on with an interrupted or failed run from its checkpoint, to the last bit as if it had not stopped",
    )
    .option("--data <path>", "your own copy of the data: --data.path, and --data.name where the files show it")
    .option("--skip-broken", "leave images out that cannot be read: --data.skip-broken true");
  addFlags(command, flags);
  addStoreOption(command)
    .addHelpText("after", helpText)
    .action(async (named: string | undefined, options: Record<string, unknown> & TrainFlags) => {
      const given = mergeConfig(flagValues(flags, options), shortcuts(options));
      const job =
        options.resume === undefined
          ? newJob(named, given as TrainConfigInput)
          : await jobOfRun(options.resume, options.store, named, Object.keys(given as object));
      const [done] = await trainRuns([job], io, { folder: options.store });
      if (done === undefined) return;
      finish(exitCodeOfOutcome(done.outcome));
      reportOutcome(done, io, "train");
      if (done.outcome.type === "refused") return;
      const run = await withStore(options.store, { readOnly: true }, (store) => store.run(done.runId));
      io.print(resultTable([run], io.colours));
      if (canGoOn(run, options.store)) io.note(`sedge train --resume ${run.id} goes on with it.`);
      io.note(`Run ${run.id} is in ${options.store}; sedge runs show ${run.id} prints it, sedge serve shows it.`);
    });
}

function newJob(named: string | undefined, given: TrainConfigInput): Job {
  const merged = mergeConfig(named === undefined ? {} : namedConfig(named), given);
  const config = parseTrainConfig(withDataName(merged, given), named);
  return { label: config.name ?? `η = ${config.learningRate}, B = ${config.batchSize}`, config };
}

async function jobOfRun(run: string, store: string, named: string | undefined, keys: readonly string[]): Promise<Job> {
  if (named !== undefined || keys.length > 0) {
    const what = named === undefined ? `--${keys[0]}` : JSON.stringify(named);
    throw new BadInput(`--resume: expected no config beside it, because the run goes on as it was; got ${what}.`);
  }
  return withStore(store, { readOnly: true }, (open) => resumeJob(open.run(run), store));
}

/** The flags that stand for others. A path is made absolute: a resumed run may be started from elsewhere. */
function shortcuts({ data, skipBroken }: TrainFlags): object {
  if (data === undefined && skipBroken === undefined) return {};
  return { data: { ...(data !== undefined && { path: resolve(data) }), ...(skipBroken && { skipBroken }) } };
}

/** The config with the name of the data set that its flag's path holds, where neither flags nor file name one. */
function withDataName(merged: unknown, given: TrainConfigInput): unknown {
  const { data } = merged as TrainConfigInput;
  if (given.data?.path === undefined || data?.name !== undefined) return merged;
  const name = recogniseData(given.data.path);
  return name === undefined ? merged : mergeConfig(merged, { data: { name } });
}

const helpText = `
Flags come after the file or preset and go before it in effect. Learning rate and weight decay are in units of one
over curvature; K, λ_max·η/2 and accuracies are dimensionless.

Presets:
${Object.entries(presets)
  .map(([name, { summary }]) => `  ${name.padEnd(24)} ${summary}`)
  .join("\n")}

Examples:
  sedge train mnist-fcn
  sedge train mnist-fcn --learning-rate 0.03 --seed 1
  sedge train run.yaml --model.widths 64,64 --probes.every 500
  sedge train --learning-rate 0.01 --batch-size 8 --steps 2000 --name first
  sedge train run.yaml --data ~/images --skip-broken
  sedge train --resume 2q8v

Data sets other than MNIST are looked for in SEDGE_DATA, or where sedge data get puts them; --data names another place.
The run's state is kept in the store's folder (checkpoints/RUN.safetensors), every ten seconds and at its end.
The run's process ends with 0 when all steps are made, 3 when the loss is no longer finite.`;
