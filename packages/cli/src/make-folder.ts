import { resolve } from "node:path";
import { BadInput } from "@sedge/lab";
import { makeFolders } from "@sedge/server";

/** What the file system says when the fault is the place that a person named. */
const faultsOfPlace = new Set(["EACCES", "EROFS", "ENOTDIR", "EISDIR", "EEXIST", "EPERM", "ENOENT", "ENAMETOOLONG"]);

/**
 * Makes a folder and those above it.
 *
 * @param flag  The option that named it.
 * @throws BadInput naming the option and the folder, if it cannot be made.
 */
export function makeFolder(flag: string, folder: string): void {
  asBadPlace(flag, folder, "a folder that can be written", () => makeFolders(resolve(folder)));
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
