import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "node:v8";

/** Finished parts of a measurement, kept in a file so that one that was killed need not make them again. */
export interface KeptStages {
  /** What was kept under this name, by a measurement of the very same things. */
  found(name: string): unknown;
  keep(name: string, result: unknown): void;
  /** Once the whole is done. */
  discard(): void;
}

interface Content {
  readonly fingerprint: string;
  readonly results: Readonly<Record<string, unknown>>;
}

/** Changes whenever a stage's result does. */
const format = 1;

/**
 * @param path  Of the file, which need not be there. One that is about other things, or damaged, counts as none.
 * @param about  All that a result depends on: settings as plain data, and numbers.
 */
export function openKeptStages(path: string, about: { settings: unknown; numbers: readonly Uint8Array[] }): KeptStages {
  const hash = createHash("sha256").update(`${format} ${JSON.stringify(about.settings)}`);
  for (const bytes of about.numbers) hash.update(bytes);
  const fingerprint = hash.digest("hex");
  let results = readContent(path, fingerprint);
  return {
    found: (name) => results[name],
    keep(name, result) {
      results = { ...results, [name]: result };
      const content: Content = { fingerprint, results };
      const unfinished = `${path}.${process.pid}.tmp`;
      writeFileSync(unfinished, serialize(content));
      renameSync(unfinished, path);
    },
    discard: () => rmSync(path, { force: true }),
  };
}

function readContent(path: string, fingerprint: string): Content["results"] {
  try {
    const content = deserialize(readFileSync(path)) as Partial<Content> | null;
    return content?.fingerprint === fingerprint ? (content.results ?? {}) : {};
  } catch {
    return {}; // not there, or not whole
  }
}
