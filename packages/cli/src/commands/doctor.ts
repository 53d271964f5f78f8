import type { Command } from "commander";
import { examine, type Finding } from "../doctor/examinations.js";
import { rerunReference, type ReferenceReport } from "../doctor/reference.js";
import { exitCodes } from "../exit-codes.js";
import type { Io } from "../io.js";
import { toJson } from "../output/json.js";
import { table } from "../output/table.js";
import type { Finish } from "../program.js";

interface DoctorOptions {
  readonly reference?: string | true;
  readonly json?: boolean;
}

/** `sedge doctor`: what is in use on this machine, tried out; with `--reference`, how right it computes. */
export function defineDoctor(command: Command, io: Io, finish: Finish): void {
  command
    .option(
      "--reference [folder]",
      "recompute linear-theory.json and networks.json of this folder (default: own copies)",
    )
    .option("--json", "print JSON")
    .addHelpText("after", helpText)
    .action(async ({ reference, json }: DoctorOptions) => {
      const reports = reference === undefined ? [] : await rerunReference(reference === true ? undefined : reference);
      const findings = await examine();
      if (json) io.print(toJson({ findings, ...(reference !== undefined && { reference: reports }) }));
      else {
        io.print(findings.map((finding) => findingLine(finding, io)).join("\n"));
        for (const report of reports) io.print(`\n${reportText(report, io)}`);
      }
      const wrong = reports.some(({ errors }) => errors.some(({ largest, tolerance }) => largest > tolerance));
      if (wrong || findings.some(({ state }) => state === "broken")) finish(exitCodes.failed);
    });
}

function findingLine({ name, state, detail }: Finding, { colours }: Io): string {
  const mark = { works: colours.green("works  "), missing: colours.yellow("missing"), broken: colours.red("BROKEN ") };
  return `${mark[state]}  ${name.padEnd(14)}  ${detail}`;
}

function reportText({ file, errors, skipped }: ReferenceReport, { colours }: Io): string {
  const rows = errors.map(({ quantity, cases, largest, tolerance }) => [
    quantity,
    String(cases),
    largest.toExponential(1),
    tolerance.toExponential(0),
    largest <= tolerance ? colours.green("within") : colours.red("OUTSIDE"),
  ]);
  const head = table(
    [
      { title: "quantity" },
      { title: "cases", align: "right" },
      { title: "largest relative error", align: "right" },
      { title: "allowed", align: "right" },
      { title: "" },
    ],
    rows,
    colours,
  );
  const left = skipped.length === 0 ? "" : `\nNot computed by this version: ${skipped.join("; ")}.`;
  return `${colours.bold(file)}\n${head}${left}`;
}

const helpText = `
Everything is tried, not only found: a sum in ONNX Runtime, an eigenvalue in the linear algebra, a run in a store. What
is missing is optional; what is broken gives exit code 1, as does a reference value missed by more than is allowed.

Examples:
  sedge doctor
  sedge doctor --reference
  sedge --blas typescript doctor --reference reference/`;
