import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

/**
 * Writes a file so that `path` holds either what it held or all of `content`, whatever happens meanwhile: to a file beside
 * it, flushed to the disk, then renamed.
 *
 * @throws what the file system reports; then nothing is left behind.
 */
export function writeWhole(path: string, content: Uint8Array): void {
  const beside = `${path}.${process.pid}.part`;
  const file = openSync(beside, "w");
  try {
    try {
      for (let done = 0; done < content.length;) done += writeSync(file, content, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
