import { createHash } from "node:crypto";
import type { RecordMade } from "@sedge/lab";
import { StoreError } from "../errors.js";
import type { Database } from "./connection.js";
import type { RecordKind } from "./events.js";
import { stringifyNonFinite } from "./non-finite-json.js";
import { findRun } from "./run-lookup.js";
import type { RunWriter } from "./writer.js";

/** A measurement that is more than numbers by step. One of a kind at a step: the last one given counts. */
export interface ProbeRecord {
  readonly step: number;
  /** Milliseconds since the epoch, here and below. */
  readonly time: number;
  /** What was measured on: "ntk", "gradients", "trace" … */
  readonly kind: string;
  /** Plain data. Numbers may be NaN or infinite and come back as the strings "NaN", "Infinity", "-Infinity". */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Eigenvalues, ascending. One of a kind at a step. */
export interface SpectrumRecord {
  readonly step: number;
  readonly time: number;
  /** Of which matrix: "ntk", "hessian" … */
  readonly kind: string;
  readonly eigenvalues: Float64Array;
}

/** What somebody says should be done about a run. One of a kind at a step. */
export interface AdviceRecord {
  readonly step: number;
  readonly time: number;
  /** Who says so: "probe", "advisor" … */
  readonly kind: string;
  readonly text: string;
  /** The numbers behind it, as in `ProbeRecord`. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** A file that belongs to a run. One of a name. */
export interface ArtifactInfo {
  readonly name: string;
  readonly time: number;
  readonly mediaType: string;
  readonly bytes: number;
  /** SHA-256, hexadecimal. */
  readonly digest: string;
}
export interface ArtifactInput extends Pick<ArtifactInfo, "name" | "time" | "mediaType"> {
  readonly content: Uint8Array;
}

/** What is recorded at once, all or nothing. */
export interface RunRecords {
  readonly probes?: readonly ProbeRecord[];
  readonly spectra?: readonly SpectrumRecord[];
  readonly advice?: readonly AdviceRecord[];
  readonly artifacts?: readonly ArtifactInput[];
}

/** Characters of a probe's or an advice's data as JSON. */
const longestData = 4 * 2 ** 20;
/** Bytes of an artifact: what fits one row without slowing the others. */
export const largestArtifact = 16 * 2 ** 20;
const artifactName = /^(?!\.{1,2}(?:\/|$))[\w.-][\w. -]{0,99}(?:\/(?!\.{1,2}(?:\/|$))[\w.-][\w. -]{0,99}){0,7}$/;

/** What a trainer's record is in the store: a probe, or advice. */
export function recordsOf({ step, time, kind, data }: RecordMade): RunRecords {
  if (kind !== "advice") return { probes: [{ step, time, kind, data }] };
  const { text, from = "advisor", ...rest } = data;
  return { advice: [{ step, time, kind: String(from), text: String(text), data: rest }] };
}

export function writeRecords(writer: RunWriter, given: string, records: RunRecords): void {
  const { probes = [], spectra = [], advice = [], artifacts = [] } = records;
  for (const { step, time, kind } of [...probes, ...spectra, ...advice]) checkPlace(step, time, kind);
  for (const artifact of artifacts) checkArtifact(artifact);
  writer.change(given, ({ number, id }, database) => {
    const probe = database.prepare(replacing("probes", ["step", "time", "kind", "data"]));
    for (const { step, time, kind, data } of probes) probe.run(number, step, time, kind, dataText(kind, data));
    const spectrum = database.prepare(replacing("spectra", ["step", "time", "kind", "eigenvalues"]));
    for (const { step, time, kind, eigenvalues } of spectra) {
      spectrum.run(number, step, time, kind, floatBytes(eigenvalues));
    }
    const word = database.prepare(replacing("advice", ["step", "time", "kind", "text", "data"]));
    for (const { step, time, kind, text, data } of advice) {
      word.run(number, step, time, kind, text, dataText(kind, data));
    }
    const artifact = database.prepare(replacing("artifacts", ["name", "time", "media_type", "digest", "content"]));
    for (const { name, time, mediaType, content } of artifacts) {
      artifact.run(number, name, time, mediaType, createHash("sha256").update(content).digest("hex"), content);
    }
    const lists: [RecordKind, readonly unknown[]][] = [
      ["probe", probes],
      ["spectrum", spectra],
      ["advice", advice],
      ["artifact", artifacts],
    ];
    const what = lists.filter(([, list]) => list.length > 0).map(([kind]) => kind);
    const placed = [...probes, ...spectra, ...advice];
    const step = Math.max(0, ...placed.map((record) => record.step));
    const kinds = [...new Set(placed.map(({ kind }) => kind))];
    return { event: { type: "recorded", runId: id, time: Date.now(), step, what, kinds }, result: undefined };
  });
}

const replacing = (table: string, columns: readonly string[]) =>
  `INSERT OR REPLACE INTO ${table} (run, ${columns.join(", ")}) VALUES (?, ${columns.map(() => "?").join(", ")})`;

function dataText(kind: string, data: object): string {
  const text = stringifyNonFinite(data);
  if (text.length <= longestData) return text;
  throw new StoreError(
    "bad-event",
    `record: ${kind}: data: expected at most ${longestData} characters as JSON, got ${text.length}`,
  );
}

function checkPlace(step: number, time: number, kind: string): void {
  const bad = (what: string) => new StoreError("bad-event", `record: ${what}`);
  if (!Number.isSafeInteger(step) || step < 0) throw bad(`step: expected an integer from 0 up, got ${step}`);
  if (!Number.isFinite(time)) throw bad(`time: expected milliseconds since the epoch, got ${time}`);
  if (!/^[\w/-]{1,64}$/.test(kind)) {
    throw bad(`kind: expected 1 to 64 letters, digits, _, - or /, got ${JSON.stringify(kind)}`);
  }
}

function checkArtifact({ name, time, mediaType, content }: ArtifactInput): void {
  const bad = (what: string) => new StoreError("bad-event", `record: artifact ${JSON.stringify(name)}: ${what}`);
  if (!artifactName.test(name)) throw bad("name: expected a relative path of letters, digits, _, -, . and spaces");
  if (!Number.isFinite(time)) throw bad(`time: expected milliseconds since the epoch, got ${time}`);
  if (!/^[\w.+-]{1,64}\/[\w.+-]{1,64}$/.test(mediaType)) throw bad(`mediaType: got ${JSON.stringify(mediaType)}`);
  if (content.length > largestArtifact) {
    throw bad(`content: expected at most ${largestArtifact} bytes, got ${content.length}`);
  }
}

function floatBytes(values: Float64Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 8));
  values.forEach((value, i) => view.setFloat64(i * 8, value, true));
  return new Uint8Array(view.buffer);
}

function bytesFloats(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.byteLength / 8 }, (_, i) => view.getFloat64(i * 8, true));
}

export interface RecordsQuery {
  /** Only those of these kinds: "spectrum" stands for "spectrum/ntk" too. */
  readonly kind?: readonly string[] | undefined;
  /** Only those of later steps. */
  readonly afterStep?: number | undefined;
  /** At most so many of the latest. Default 1000; a negative number for all. */
  readonly limit?: number | undefined;
}

function latest(database: Database, table: string, given: string, query: RecordsQuery) {
  const { kind, afterStep = -1, limit = 1000 } = query;
  const { number } = findRun(database, given);
  const ofKinds =
    kind && `AND (FALSE${" OR kind = ? OR substr(kind, 1, length(?) + 1) = ? || '/'".repeat(kind.length)})`;
  const select = database.prepare(
    `SELECT * FROM ${table} WHERE run = ? AND step > ? ${ofKinds ?? ""} ORDER BY step DESC, id DESC LIMIT ?`,
  );
  return (
    select.all(number, afterStep, ...(kind ?? []).flatMap((one) => [one, one, one]), limit) as unknown[]
  ).reverse();
}

export function readProbes(database: Database, given: string, query: RecordsQuery): ProbeRecord[] {
  const rows = latest(database, "probes", given, query) as { step: number; time: number; kind: string; data: string }[];
  return rows.map(({ step, time, kind, data }) => ({
    step,
    time,
    kind,
    data: JSON.parse(data) as ProbeRecord["data"],
  }));
}

export function readSpectra(database: Database, given: string, query: RecordsQuery): SpectrumRecord[] {
  const rows = latest(database, "spectra", given, query) as (Omit<SpectrumRecord, "eigenvalues"> & {
    eigenvalues: Uint8Array;
  })[];
  return rows.map(({ step, time, kind, eigenvalues }) => ({ step, time, kind, eigenvalues: bytesFloats(eigenvalues) }));
}

export function readAdvice(database: Database, given: string, query: RecordsQuery): AdviceRecord[] {
  const rows = latest(database, "advice", given, query) as (Omit<AdviceRecord, "data"> & { data: string })[];
  return rows.map(({ step, time, kind, text, data }) => {
    return { step, time, kind, text, data: JSON.parse(data) as AdviceRecord["data"] };
  });
}

export function readArtifacts(database: Database, given: string): ArtifactInfo[] {
  const { number } = findRun(database, given);
  const select = database.prepare(
    "SELECT name, time, media_type AS mediaType, length(content) AS bytes, digest FROM artifacts WHERE run = ? ORDER BY name",
  );
  return (select.all(number) as unknown as ArtifactInfo[]).map((row) => ({ ...row }));
}

/** @throws StoreError `unknown-artifact` */
export function readArtifact(
  database: Database,
  given: string,
  name: string,
): { mediaType: string; content: Uint8Array } {
  const { number, id } = findRun(database, given);
  const row = database
    .prepare("SELECT media_type AS mediaType, content FROM artifacts WHERE run = ? AND name = ?")
    .get(number, name) as { mediaType: string; content: Uint8Array } | undefined;
  if (row === undefined)
    throw new StoreError("unknown-artifact", `run ${id}: has no artifact ${JSON.stringify(name)}.`);
  return row;
}
