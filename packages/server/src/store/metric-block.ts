import { crc32 } from "node:zlib";
import { StoreError } from "../errors.js";

/**
 * A block: consecutive metrics events of one run, as columns. A row of SQLite for every number would cost a
 * microsecond or two each way and lose NaN (stored as NULL) and −0; a block is written and read as memory, bit for bit.
 *
 *     magic u32 | CRC-32 of all that follows u32 | events n u32 | columns u32
 *     steps n × f64 | times n × f64
 *     for each column:  metric id u32 | values p u32 | if p < n: a bit for each event, padded to 8 bytes | p × f64
 *
 * Little-endian throughout, every part a multiple of eight bytes long, so a typed array can lie over it.
 */
const magic = 0x31_62_65_73; // "seb1"
const headerBytes = 16;
const checkedFrom = 8;

export interface MetricColumn {
  /** Row of the `metrics` table. */
  readonly metric: number;
  /** One bit for each event, least significant first, set where the event has this metric; null where all have. */
  readonly present: Uint8Array | null;
  /** Values of the events that have the metric, in order. */
  readonly values: Float64Array;
}

export interface MetricBlock {
  readonly steps: Float64Array;
  readonly times: Float64Array;
  readonly columns: readonly MetricColumn[];
}

export function hasEvent(column: MetricColumn, index: number): boolean {
  return column.present === null || (column.present[index >> 3]! & (1 << (index & 7))) !== 0;
}

const maskBytes = (events: number) => Math.ceil(events / 64) * 8;

/** @param metricId  The number of a key, the same for all events of the run. */
export function encodeMetricBlock(
  events: readonly {
    readonly step: number;
    readonly time: number;
    readonly values: Readonly<Record<string, number>>;
  }[],
  metricId: (key: string) => number,
): Uint8Array {
  const count = events.length;
  const columns = new Map<string, { values: Float64Array; present: Uint8Array; used: number }>();
  const steps = new Float64Array(count);
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const event = events[i]!;
    steps[i] = event.step;
    times[i] = event.time;
    for (const key in event.values) {
      let column = columns.get(key);
      if (column === undefined) {
        column = { values: new Float64Array(count), present: new Uint8Array(maskBytes(count)), used: 0 };
        columns.set(key, column);
      }
      column.present[i >> 3]! |= 1 << (i & 7);
      column.values[column.used++] = event.values[key]!;
    }
  }

  let size = headerBytes + 16 * count;
  for (const { used } of columns.values()) size += 8 + (used < count ? maskBytes(count) : 0) + 8 * used;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let offset = headerBytes;
  const put = (part: Uint8Array | Float64Array) => {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), offset);
    offset += part.byteLength;
  };
  put(steps);
  put(times);
  for (const [key, { values, present, used }] of columns) {
    view.setUint32(offset, metricId(key), true);
    view.setUint32(offset + 4, used, true);
    offset += 8;
    if (used < count) put(present);
    put(values.subarray(0, used));
  }
  view.setUint32(0, magic, true);
  view.setUint32(8, count, true);
  view.setUint32(12, columns.size, true);
  view.setUint32(4, crc32(bytes.subarray(checkedFrom)), true);
  return bytes;
}

/** @throws StoreError `store-corrupt` where the bytes are not a whole block, or changed since they were written. */
export function decodeMetricBlock(stored: Uint8Array): MetricBlock {
  // Typed arrays over float64 need an aligned start.
  const bytes = stored.byteOffset % 8 === 0 ? stored : stored.slice();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < headerBytes || view.getUint32(0, true) !== magic) {
    throw new StoreError("store-corrupt", "a block of metrics does not begin as one.");
  }
  if (crc32(bytes.subarray(checkedFrom)) !== view.getUint32(4, true)) {
    throw new StoreError("store-corrupt", "a block of metrics does not match its checksum.");
  }
  const count = view.getUint32(8, true);
  const columnCount = view.getUint32(12, true);
  let offset = headerBytes;
  const take = (bytesWanted: number) => {
    const start = offset;
    offset += bytesWanted;
    if (offset > bytes.byteLength) {
      throw new StoreError("store-corrupt", "a block of metrics is shorter than its header says.");
    }
    return bytes.byteOffset + start;
  };
  const floats = (length: number) => new Float64Array(bytes.buffer, take(8 * length), length);

  const steps = floats(count);
  const times = floats(count);
  const columns: MetricColumn[] = [];
  for (let i = 0; i < columnCount; i++) {
    const start = take(8) - bytes.byteOffset;
    const metric = view.getUint32(start, true);
    const used = view.getUint32(start + 4, true);
    const present = used < count ? new Uint8Array(bytes.buffer, take(maskBytes(count)), maskBytes(count)) : null;
    columns.push({ metric, present, values: floats(used) });
  }
  return { steps, times, columns };
}

/** The events that the block was made of. */
export function blockEvents(
  block: MetricBlock,
  keyOf: (metric: number) => string,
): { step: number; time: number; values: Record<string, number> }[] {
  const events = Array.from(block.steps, (step, i) => {
    const values: Record<string, number> = {};
    return { step, time: block.times[i]!, values };
  });
  for (const column of block.columns) {
    const key = keyOf(column.metric);
    let next = 0;
    for (let i = 0; i < events.length; i++) {
      if (hasEvent(column, i)) events[i]!.values[key] = column.values[next++]!;
    }
  }
  return events;
}
