import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Keeps the results of the long parts of a computation. */
export interface PartStore {
  /**
   * The result of a part: from the store where it is there, otherwise computed and kept.
   *
   * @param name    Short, fit for a file name.
   * @param inputs  All that the result depends on, as plain data. Other inputs, other entry.
   */
  part<T>(name: string, inputs: object, compute: () => T | Promise<T>): Promise<T>;
}

/** Computes everything and keeps nothing. */
export const noParts: PartStore = { part: async (_name, _inputs, compute) => compute() };

/** Parts as JSON files in a folder, made when the first is kept. NaN and the infinities survive. */
export function folderParts(folder: string): PartStore {
  return {
    async part<T>(name: string, inputs: object, compute: () => T | Promise<T>): Promise<T> {
      const digest = createHash("sha256").update(encode(inputs)).digest("hex").slice(0, 16);
      const path = join(folder, `${name}-${digest}.json`);
      const kept = readPart(path);
      if (kept !== undefined) return kept.result as T;
      const result = await compute();
      mkdirSync(folder, { recursive: true });
      // A name of this process's own, then renamed: nobody ever reads half a file.
      const unfinished = `${path}.${process.pid}.tmp`;
      try {
        writeFileSync(unfinished, encode({ inputs, result }));
        renameSync(unfinished, path);
      } finally {
        rmSync(unfinished, { force: true });
      }
      return result;
    },
  };
}

function readPart(path: string): { readonly result: unknown } | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text, (_key, value: unknown) => decodeNumber(value)) as { result: unknown };
  } catch {
    return undefined; // damaged by something else: it is computed again
  }
}

const nonFinite: Readonly<Record<string, number>> = { "#NaN": NaN, "#Infinity": Infinity, "#-Infinity": -Infinity };
const decodeNumber = (value: unknown): unknown =>
  typeof value === "string" && Object.hasOwn(nonFinite, value) ? nonFinite[value] : value;

function encode(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === "number" && !Number.isFinite(entry) ? `#${entry}` : entry,
  );
}
