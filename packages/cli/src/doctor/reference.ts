import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BadInput } from "@sedge/lab";
import type { ReferenceError } from "./error-ledger.js";
import { linearErrors } from "./linear-reference.js";
import { networkErrors } from "./network-reference.js";

export interface ReferenceReport {
  readonly file: string;
  readonly errors: readonly ReferenceError[];
  /** What the file has and this version cannot compute. */
  readonly skipped: readonly string[];
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
