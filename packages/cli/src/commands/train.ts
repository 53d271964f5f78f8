import { parseTrainConfig, trainConfigSchema } from "@sedge/lab";
import type { Command } from "commander";
import { namedConfig, presets } from "../config/presets.js";
import { addFlags, flagValues, mergeConfig, schemaFlags } from "../config/schema-flags.js";
import type { Io } from "../io.js";
import { resultTable } from "../output/run-table.js";
import type { Finish } from "../program.js";
import { addStoreOption, withStore } from "../store-option.js";
import { exitCodeOfOutcome } from "../training/start-trainer.js";
import { trainRuns } from "../training/train-runs.js";
import { reportOutcome } from "../training/report-outcome.js";

/** `sedge train [CONFIG|PRESET]`: one run, written to the store as it goes. */
export function defineTrain(command: Command, io: Io, finish: Finish): void {
  const flags = schemaFlags(trainConfigSchema);
  command.argument("[config]", "a .yaml, .yml or .json file, or a preset; without it every needed key is a flag");
  addFlags(command, flags);
  addStoreOption(command)
    .addHelpText("after", helpText)
    .action(async (named: string | undefined, options: Record<string, unknown> & { store: string }) => {
      const base = named === undefined ? {} : namedConfig(named);
      const config = parseTrainConfig(mergeConfig(base, flagValues(flags, options)), named);
      const label = config.name ?? `η = ${config.learningRate}, B = ${config.batchSize}`;
      const [job] = await trainRuns([{ label, config }], io, { folder: options.store });
      if (job === undefined) return;
      finish(exitCodeOfOutcome(job.outcome));
      reportOutcome(job, io, "train");
      if (job.outcome.type === "refused") return;
      const run = await withStore(options.store, { readOnly: true }, (store) => store.run(job.runId));
      io.print(resultTable([run], io.colours));
      io.note(`Run ${run.id} is in ${options.store}; sedge runs show ${run.id} prints it, sedge serve shows it.`);
    });
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

The run's process ends with 0 when all steps are made, 3 when the loss is no longer finite.`;
