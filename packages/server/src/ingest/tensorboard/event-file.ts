import { open, type FileHandle } from "node:fs/promises";
import { ScalarReader, type ScalarEvent } from "./scalar-events.js";
import { readRecord } from "./tf-records.js";

const chunk = 2 ** 20;

/** An event, and the byte of the file at which its record ends. */
export interface PlacedEvent extends ScalarEvent {
  readonly end: number;
}

/** Scalars of consecutive records, and where in the file they end. */
export interface FilePart {
  readonly events: readonly PlacedEvent[];
  readonly end: number;
  readonly records: number;
}

/**
 * An event file that may still be growing. A record of which a part is missing, or whose checksum is wrong at the end of the
 * file, is being written: it is looked at again. One with more behind it is damaged: it is left out and reported.
 */
export class EventFile {
  readonly path: string;
  readonly #report: (problem: string) => void;
  readonly #scalars = new ScalarReader();
  #offset: number;
  #given = false;

  /** @param offset  Where to begin: the end of a record. */
  constructor(path: string, offset: number, report: (problem: string) => void) {
    this.path = path;
    this.#offset = offset;
    this.#report = report;
  }

  /** What is new since the last call, a part after the other. */
  async *parts(): AsyncGenerator<FilePart> {
    if (this.#given) return;
    const file = await open(this.path, "r").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null; // rotated away
      throw error;
    });
    if (file === null) return;
    try {
      const { size } = await file.stat();
      if (size < this.#offset) {
        this.#report(`${this.path}: has become shorter; it is read from its beginning`);
        this.#offset = 0;
      }
      let wanted = chunk;
      while (this.#offset < size && !this.#given) {
        const bytes = await read(file, this.#offset, Math.min(wanted, size - this.#offset));
        const { part, need } = this.#take(bytes, this.#offset + bytes.length >= size);
        if (part.end > this.#offset) {
          this.#offset = part.end;
          wanted = chunk;
          yield part;
        } else if (need > bytes.length && this.#offset + bytes.length < size) wanted = Math.max(need, chunk);
        else return;
      }
    } finally {
      await file.close();
    }
  }

  #take(bytes: Uint8Array, atEnd: boolean): { part: FilePart; need: number } {
    const events: PlacedEvent[] = [];
    let at = 0;
    let records = 0;
    let need = 0;
    for (;;) {
      if (at === bytes.length) break;
      const record = readRecord(bytes, at);
      if (record.found === "part") {
        need = record.wanted;
        break;
      }
      if (record.found === "damage") {
        // Twelve bytes at the end of the file may be the beginning of a record that is being written.
        if (atEnd && bytes.length - at <= 12) break;
        this.#given = true;
        this.#report(`${this.path}: damaged at byte ${this.#offset + at}; what follows cannot be read`);
        break;
      }
      const last = atEnd && record.end === bytes.length;
      if (record.data === null && last) break;
      const event = record.data === null ? undefined : this.#parse(record.data);
      if (event === undefined)
        this.#report(`${this.path}: the record at byte ${this.#offset + at} is damaged, and left out`);
      else if (event !== null) events.push({ ...event, end: this.#offset + record.end });
      at = record.end;
      records++;
    }
    return { part: { events, end: this.#offset + at, records }, need };
  }

  #parse(data: Uint8Array): ScalarEvent | null | undefined {
    try {
      return this.#scalars.read(data);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
}

async function read(file: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
