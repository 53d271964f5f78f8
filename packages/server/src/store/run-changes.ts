import { cleanTags, type RunOrigin } from "./events.js";
import { stringifyNonFinite } from "./non-finite-json.js";
import type { RunWriter } from "./writer.js";

/** Gives a run these tags in place of those it has. */
export function setTags(writer: RunWriter, given: string, tags: readonly string[]): readonly string[] {
  const clean = cleanTags(tags);
  return writer.change(given, ({ number, id }, database) => {
    database.prepare("DELETE FROM tags WHERE run = ?").run(number);
    const insert = database.prepare("INSERT INTO tags VALUES (?, ?)");
    for (const tag of clean) insert.run(number, tag);
    return { event: { type: "run-tagged", runId: id, time: Date.now(), tags: clean }, result: clean };
  });
}

export interface RunUpdate {
  readonly name?: string | undefined;
  /** Settings that become known after the start; they are added to those there are, in place of those of one name. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** In place of the details there are. */
  readonly originDetails?: RunOrigin["details"] | undefined;
}

export function updateRun(writer: RunWriter, given: string, { name, config, originDetails }: RunUpdate): void {
  writer.change(given, ({ number, id }, database) => {
    if (name !== undefined) database.prepare("UPDATE runs SET name = ? WHERE number = ?").run(name, number);
    if (config !== undefined) {
      const row = database.prepare("SELECT config FROM runs WHERE number = ?").get(number) as { config: string };
      const merged = { ...(JSON.parse(row.config) as object), ...config };
      database.prepare("UPDATE runs SET config = ? WHERE number = ?").run(stringifyNonFinite(merged), number);
    }
    if (originDetails !== undefined) {
      const update = database.prepare("UPDATE origins SET details = ? WHERE run = ?");
      update.run(stringifyNonFinite(originDetails), number);
    }
    return { event: { type: "run-changed", runId: id, time: Date.now() }, result: undefined };
  });
}
