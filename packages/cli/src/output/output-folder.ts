import { mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BadInput } from "@sedge/lab";

/** What the file system says when the fault is the place that a person named. */
const faultsOfPlace = new Set(["EACCES", "EROFS", "ENOTDIR", "EISDIR", "EEXIST", "EPERM", "ENOENT", "ENAMETOOLONG"]);

/**
 * Makes an output folder and tries it, before anything long is computed for it.
 *
 * @throws BadInput naming the option and the folder, if files cannot be written there.
 */
export function prepareOutputFolder(folder: string): void {
  asBadInput(folder, "a folder that can be written", () => {
    mkdirSync(folder, { recursive: true });
    rmdirSync(mkdtempSync(join(folder, ".try-")));
  });
}

/** Writes one file where `--out` says. */
export function writeOutput(path: string, content: string | Uint8Array): void {
  asBadInput(path, "a file that can be written", () => writeFileSync(path, content));
}

function asBadInput(place: string, expected: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!faultsOfPlace.has(code)) throw error;
    throw new BadInput(`--out: expected ${expected}, got ${JSON.stringify(place)} (${code}).`);
  }
}
