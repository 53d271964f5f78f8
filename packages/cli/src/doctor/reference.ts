import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BadInput } from "@sedge/lab";
import { linearErrors } from "./linear-reference.js";
import { networkErrors } from "./network-reference.js";

/** How far one quantity is from its independently computed value, over all cases that have it. */
export interface ReferenceError {
  readonly quantity: string;
  readonly cases: number;
  /** |ours − reference| / |reference|, the largest; where the reference is 0, the absolute error. */
  readonly largest: number;
  /** What is allowed. */
  readonly tolerance: number;
}

export interface ReferenceReport {
  readonly file: string;
  readonly errors: readonly ReferenceError[];
  /** What the file has and this version cannot compute. */
  readonly skipped: readonly string[];
}

/** Collects relative errors by quantity. */
export class ErrorLedger {
  readonly #entries = new Map<string, { cases: number; largest: number; tolerance: number }>();

  note(quantity: string, ours: number, reference: number, tolerance: number): void {
    this.noteAll(quantity, [ours], [reference], tolerance);
  }

  /** A vector of values, one case: each entry relative to itself, or to the largest where `scale` says so. */
  noteAll(
    quantity: string,
    ours: ArrayLike<number>,
    reference: ArrayLike<number>,
    tolerance: number,
    scale: "entry" | "largest" = "entry",
  ): void {
    const entry = this.#entries.get(quantity) ?? { cases: 0, largest: 0, tolerance };
    entry.cases++;
    const most = Math.max(...Array.from(reference, Math.abs));
    if (ours.length !== reference.length) entry.largest = Infinity;
    for (let i = 0; i < reference.length; i++) {
      const size = scale === "largest" ? most : Math.abs(reference[i]!);
      const error = Math.abs(ours[i]! - reference[i]!) / (size === 0 ? 1 : size);
      entry.largest = Number.isNaN(error) ? Infinity : Math.max(entry.largest, error);
    }
    this.#entries.set(quantity, entry);
  }

  errors(): ReferenceError[] {
    return [...this.#entries].map(([quantity, entry]) => ({ quantity, ...entry }));
  }
}

/** Copies of the reference files that the packages ship with their sources, for where no folder is given. */
const shipped = {
  "linear-theory.json": new URL("../../../theory/src/fixtures/linear-theory.json", import.meta.url),
  "networks.json": new URL("../../../lab/src/fixtures/networks.json", import.meta.url),
} as const;

/**
 * Recomputes every case of the reference files through the whole stack.
 *
 * @param folder  Holds linear-theory.json, networks.json, or both. Default: the copies inside the packages.
 * @throws BadInput if neither file is there or one cannot be read.
 */
export async function rerunReference(folder?: string): Promise<ReferenceReport[]> {
  const reports: ReferenceReport[] = [];
  for (const name of ["linear-theory.json", "networks.json"] as const) {
    const path = folder === undefined ? fileURLToPath(shipped[name]) : join(folder, name);
    if (!existsSync(path)) continue;
    const compare = name === "linear-theory.json" ? linearErrors : networkErrors;
    reports.push({ file: path, ...(await compare(readJson(path), path)) });
  }
  if (reports.length === 0) {
    const where = folder ?? "the packages";
    throw new BadInput(`--reference: expected linear-theory.json or networks.json in ${where}, found neither.`);
  }
  return reports;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new BadInput(`${path}: ${(error as Error).message}.`);
  }
}
