import { existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { BadInput } from "@sedge/lab";

/** What the file system says when the fault is the place that a person named. */
const faultsOfPlace = new Set(["EACCES", "EROFS", "ENOTDIR", "EISDIR", "EEXIST", "EPERM", "ENOENT", "ENAMETOOLONG"]);

/**
 * Makes a folder and those above it, one at a time: Node's own `recursive` never returns where the file system says
 * ENOENT for a folder whose parent is there, as /proc does.
 *
 * @param flag  The option that named it.
 * @throws BadInput naming the option and the folder, if it cannot be made.
 */
export function makeFolder(flag: string, folder: string): void {
  asBadPlace(flag, folder, "a folder that can be written", () => makeEach(resolve(folder)));
}

function makeEach(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeEach(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have been quicker.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Does some work with the file system in which a refusal is the person's to mend. */
export function asBadPlace(flag: string, place: string, expected: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!faultsOfPlace.has(code)) throw error;
    throw new BadInput(`${flag}: expected ${expected}, got ${JSON.stringify(place)} (${code}).`);
  }
}
