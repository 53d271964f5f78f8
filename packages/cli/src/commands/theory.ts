import { samplings } from "@sedge/theory";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { toJson } from "../output/json.js";
import { evaluateTheory } from "../theory/evaluate.js";
import { theoryPage } from "../theory/theory-page.js";
import { readTheoryFile, type TheorySettings } from "../theory/theory-file.js";

interface TheoryOptions {
  readonly json?: boolean;
  readonly outputs?: string;
  readonly learningRate?: string;
  readonly batchSize?: string;
  readonly momentum?: string;
  readonly nesterov?: boolean;
  readonly weightDecay?: string;
  readonly sampling?: string;
  readonly population?: string;
}

/** `sedge theory FILE`: where both edges are, for a Jacobian or an NTK. */
export function defineTheory(command: Command, io: Io): void {
  command
    .argument("<file>", "JSON in the format of linear-theory.json, or the NTK as .npy")
    .option("--json", "print JSON, with the keys of linear-theory.json")
    .option("--learning-rate <number>", "η, in units of one over curvature")
    .option("--batch-size <number>", "B, examples")
    .option("--momentum <number>", "m in [0, 1), heavy ball (default 0)")
    .option("--nesterov", "the momentum is Nesterov's")
    .option("--weight-decay <number>", "δ, L2 (default 0)")
    .option("--sampling <name>", `${samplings.join(" | ")} (default without-replacement)`)
    .option("--population <number>", "N of the run, where the file is a probe of it")
    .option("--outputs <number>", "C, for .npy: how many rows belong to an example (default 1)")
    .addHelpText("after", helpText)
    .action((path: string, { json, ...options }: TheoryOptions) => {
      const cases = readTheoryFile(path, givenSettings(options));
      // Every case before the first line: a fault in the last one leaves nothing half-said.
      const results = cases.map((given, i) => evaluateTheory(given, cases.length === 1 ? path : `${path}: cases.${i}`));
      if (json) io.print(toJson(cases.length === 1 ? results[0] : { cases: results }));
      else io.print(cases.map((given, i) => theoryPage(given, results[i]!, io.colours)).join("\n\n"));
    });
}

/** Numbers where they are numbers; anything else is left for the schema to refuse by name. */
function givenSettings(options: Omit<TheoryOptions, "json">): TheorySettings {
  const { sampling, nesterov, ...numbers } = options;
  const settings: Record<string, unknown> = {
    ...(sampling !== undefined && { sampling }),
    ...(nesterov !== undefined && { nesterov }),
  };
  for (const [key, text] of Object.entries(numbers)) {
    if (text === undefined) continue;
    const value = Number(text);
    settings[key] = text.trim() === "" || Number.isNaN(value) ? text : value;
  }
  return settings;
}

const helpText = `
A JSON file holds one object, or several as {"cases": [...]}:
  examples N, outputs C (default 1), jacobian (row-major [N·C, P], rows example by example) or ntk (Θ = J Jᵀ/N),
  learningRate, batchSize, and if wanted momentum, nesterov, weightDecay, sampling,
  population, residual.
Flags go before what the file says. The NTK of a network comes from any framework as a .npy of float32 or float64.

Examples:
  sedge theory system.json
  sedge theory system.json --learning-rate 0.05 --json | jq .kExact
  sedge theory ntk.npy --outputs 10 --batch-size 8 --learning-rate 0.01 --population 50000`;
