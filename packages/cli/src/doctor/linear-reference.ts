import { BadInput } from "@sedge/lab";
import { evaluateTheory, type TheoryResult } from "../theory/evaluate.js";
import { theoryCaseSchema } from "../theory/theory-file.js";
import { ErrorLedger, type ReferenceError } from "./error-ledger.js";

/** Values that come out of one formula in float64. */
const closed = 1e-8;
/** What is solved for: the reference itself was bracketed to about this. */
const solved = 1e-6;
const curve = 1e-9;

const scalars = ["lambdaMax", "trace", "kExact", "kDiagonal", "kHighDim", "kTrace", "spectralRadius"] as const;
const critical = ["criticalLearningRateExact", "criticalLearningRateDiagonal"] as const;

/** Every case of linear-theory.json, through `sedge theory`'s own path from file to result. */
export async function linearErrors(
  content: unknown,
  path: string,
): Promise<{ errors: ReferenceError[]; skipped: string[] }> {
  const cases = (content as { cases?: unknown } | null)?.cases;
  if (!Array.isArray(cases)) throw new BadInput(`${path}: expected an object with "cases".`);
  const ledger = new ErrorLedger();
  cases.forEach((stored: unknown, i) => {
    const parsed = theoryCaseSchema.safeParse(stored);
    if (!parsed.success) throw new BadInput(`${path}: cases.${i}: ${parsed.error.issues[0]!.message}.`);
    compareCase(evaluateTheory(parsed.data, `${path}: cases.${i}`), stored as Stored, ledger);
  });
  return { errors: ledger.errors(), skipped: [] };
}

type Stored = Readonly<Record<string, unknown>>;

function compareCase(result: TheoryResult, stored: Stored, ledger: ErrorLedger): void {
  for (const key of scalars) {
    const reference = stored[key];
    if (typeof reference === "number") ledger.note(key, result[key], reference, closed);
  }
  for (const key of critical) {
    const reference = stored[key];
    if (typeof reference === "number") ledger.note(key, result[key] ?? NaN, reference, solved);
  }
  if (Array.isArray(stored["spectrum"])) {
    // Small eigenvalues are known to rounding of the largest, and no better.
    ledger.noteAll("spectrum", result.spectrum, ascending(stored["spectrum"] as number[]), closed, "largest");
  }
  if (Array.isArray(stored["expectedLoss"]) && result.expectedLoss !== undefined) {
    ledger.noteAll("expectedLoss", result.expectedLoss, stored["expectedLoss"] as number[], curve);
  }
}

const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b);
