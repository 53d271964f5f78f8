import { mkdtempSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asBadPlace, makeFolder } from "../make-folder.js";

/**
 * Makes an output folder and tries it, before anything long is computed for it.
 *
 * @throws BadInput naming the option and the folder, if files cannot be written there.
 */
export function prepareOutputFolder(folder: string): void {
  makeFolder("--out", folder);
  asBadPlace("--out", folder, "a folder that can be written", () => rmdirSync(mkdtempSync(join(folder, ".try-"))));
}

/** Writes one file where `--out` says. */
export function writeOutput(path: string, content: string | Uint8Array): void {
  asBadPlace("--out", path, "a file that can be written", () => writeFileSync(path, content));
}
