import { adviceInputOf, adviceText, advise, BadInput, parseTrainConfig, type Statement } from "@sedge/lab";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { toJson } from "../output/json.js";
import { addStoreOption, withStore } from "../store-option.js";

/** `sedge advise RUN`: what to change about a run, and why, from what it measured last. Stored with the run. */
export function defineAdvise(command: Command, io: Io): void {
  command.argument("<run>", "an id, the beginning of one, or a name");
  addStoreOption(command)
    .option("--json", "print JSON instead of text")
    .option("--dry", "store nothing")
    .addHelpText("after", helpText)
    .action(async (given: string, { store: folder, json, dry }: { store: string; json?: boolean; dry?: boolean }) => {
      await withStore(folder, { readOnly: dry === true }, (store) => {
        const { id, config, status, step, latest } = store.run(given);
        const records = store.probes(id, { kind: ["attribution", "examples"] });
        const advice = advise(adviceInputOf(ownConfig(id, config), { status, step }, latest, records));
        if (dry !== true) {
          const text = adviceText(advice);
          store.record(id, { advice: [{ step, time: Date.now(), kind: "advisor", text, data: { ...advice } }] });
        }
        if (json) {
          io.print(toJson({ run: id, step, ...advice }));
          return;
        }
        io.print(`${io.colours.bold(id)}, step ${step}: ${advice.verdict.text}\n`);
        for (const statement of advice.statements)
          io.print(`  ${statement.text}  ${io.colours.dim(sureness(statement))}`);
      });
    });
}

/** A run from elsewhere has a config of any shape; its probes bring advice of their own. */
function ownConfig(id: string, config: Readonly<Record<string, unknown>>) {
  try {
    return parseTrainConfig(config);
  } catch {
    throw new BadInput(
      `advise: run ${id} was not trained by Sedge; the advice of its probes is in sedge runs show ${id}.`,
    );
  }
}

const sureness = ({ confidence }: Statement) => `(${confidence})`;

const helpText = `
"sure" is two standard errors from being otherwise, "likely" rests on bounds from K and λ_max alone, "unsure" changes
nothing: its error bar spans the decision. K and λ_max·η/2 are dimensionless and 1 on their edges. For a model that can
be measured anew, with its layers and examples, use sedge measure.

Examples:
  sedge advise first
  sedge advise 20261124 --json`;
