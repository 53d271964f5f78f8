import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { testStore } from "../../testing/events.js";
import { temporaryFolder } from "../../testing/temporary-folder.js";
import { crc32c, maskedCrc32c } from "./crc32c.js";
import { ingestTensorBoard } from "./ingest-tensorboard.js";
import { ScalarReader } from "./scalar-events.js";
import { readRecord } from "./tf-records.js";

/** Written by Google's protobuf library: see make_events.py beside them. */
const fixture = (name: string) => join(import.meta.dirname, "fixtures", `events.out.tfevents.1700000000.${name}`);
const torch = readFileSync(fixture("torch"));
const bytes = (text: string) => new TextEncoder().encode(text);
const once = { follow: false } as const;

test("CRC-32C of RFC 3720's examples", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(bytes("123456789"))).toBe(0xe3069283);
  // ((crc >> 15 | crc << 17) + 0xa282ead8) mod 2³², by hand from the last.
  expect(maskedCrc32c(bytes("123456789"))).toBe((((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8) >>> 0);
});

test("a log of PyTorch's writer becomes a run", async () => {
  const folder = temporaryFolder();
  copyFileSync(fixture("torch"), join(folder, "events.out.tfevents.1700000000.torch"));
  const store = testStore();
  const { runs, records, scalars, problems } = await ingestTensorBoard(folder, store, once);
  expect([runs.length, records, scalars, problems]).toEqual([1, 201, 200, []]);
  expect(store.run(runs[0]!)).toMatchObject({ status: "finished", step: 495, startedAt: 1.7e12 });
  const { "loss/train": loss, accuracy } = store.metrics(runs[0]!).series;
  expect([...loss!.steps]).toEqual(Array.from({ length: 100 }, (_, i) => 5 * i));
  expect([...loss!.values]).toEqual(Array.from(loss!.steps, (step) => Math.fround(1 / (1 + step))));
  expect([...loss!.times]).toEqual(Array.from(loss!.steps, (step) => 1.7e12 + 250 * step));
  expect([...accuracy!.values.subarray(0, 3)]).toEqual([0, NaN, Math.fround(10 / 500)]);
});

test("TensorFlow 2's scalars are tensors of one number, of any type; other plugins' are left out", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "run 1", "train"), { recursive: true });
  copyFileSync(fixture("v2"), join(folder, "run 1", "train", "events.out.tfevents.1700000000.v2"));
  const store = testStore();
  const { runs } = await ingestTensorBoard(folder, store, once);
  const { name, latest } = store.run(runs[0]!);
  expect(name).toBe("run 1/train");
  // The half is 0.333 rounded to 11 bits, 1364/4096.
  expect(latest).toEqual({ f: Infinity, d: 0.1, i: -3, l: 2 ** 40, c: -2.5, h: 1364 / 4096, b: 3 });
});

test("files that grow byte by byte, whatever is cut where, give each number once; so does a second process that goes on", async () => {
  const folder = temporaryFolder();
  const place = join(folder, "events.out.tfevents.1700000000.torch");
  const stores = temporaryFolder();
  let written = 0;
  for (const end of [3, 11, 12, 30, 31, 200, 201, 5000, 5001, 7777, torch.length]) {
    appendFileSync(place, torch.subarray(written, end));
    written = end;
    const store = testStore(stores);
    const stopping = new AbortController();
    const taking = ingestTensorBoard(folder, store, { signal: stopping.signal, interval: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    stopping.abort();
    expect((await taking).problems).toEqual([]);
    store.close();
  }
  const store = testStore(stores);
  const [run] = store.runs();
  expect(store.metrics(run!.id).series["loss/train"]!.steps).toHaveLength(100);
  const stored = store
    .eventsAfter(0, 10_000)
    .flatMap(({ event }) => (event.type === "metrics" ? Object.keys(event.values) : []));
  expect(stored).toHaveLength(200);
});

test("new numbers and new files arrive while it follows", async () => {
  const folder = temporaryFolder();
  const store = testStore();
  const stopping = new AbortController();
  const taking = ingestTensorBoard(folder, store, { signal: stopping.signal, interval: 5 });
  const half = 40 + torch.subarray(40).length / 2;
  writeFileSync(join(folder, "events.out.tfevents.1.a"), torch.subarray(0, half));
  await vi.waitFor(() => expect(store.runs()[0]?.step).toBeGreaterThan(100));
  writeFileSync(join(folder, "events.out.tfevents.2.b"), torch);
  await vi.waitFor(() => expect(store.runs()[0]?.step).toBe(495));
  stopping.abort();
  expect((await taking).runs).toHaveLength(1);
});

test("a damaged record is left out and reported; damage of a length ends the file; a damaged end is waited for", async () => {
  const read = async (damage: (copy: Uint8Array) => Uint8Array) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "events.out.tfevents.1.a"), damage(Uint8Array.from(torch)));
    const store = testStore();
    const { records, problems } = await ingestTensorBoard(folder, store, once);
    return { records, problems: problems.map((problem) => problem.slice(problem.lastIndexOf(": ") + 2)) };
  };
  const second = readRecord(torch, 0) as { end: number };
  const flip = (at: number) => (copy: Uint8Array) => {
    copy[at]! ^= 1;
    return copy;
  };
  const leftOut = [`the record at byte ${second.end} is damaged, and left out`];
  expect(await read(flip(second.end + 15))).toEqual({ records: 201, problems: leftOut });
  const ended = [`damaged at byte ${second.end}; what follows cannot be read`];
  expect(await read(flip(second.end + 1))).toEqual({ records: 1, problems: ended });
  expect(await read(flip(torch.length - 1))).toEqual({ records: 200, problems: [] });
});

test("a run that has ended takes nothing more, and says so", async () => {
  const folder = temporaryFolder();
  const place = join(folder, "events.out.tfevents.1.a");
  writeFileSync(place, torch);
  const store = testStore();
  await ingestTensorBoard(folder, store, once);
  expect((await ingestTensorBoard(folder, store, once)).problems).toEqual([]);
  appendFileSync(place, torch);
  const { problems } = await ingestTensorBoard(folder, store, once);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain("has ended as finished");
});

test("no bytes make the readers fail otherwise than they say", () => {
  const record = readRecord(torch, 0) as { end: number };
  const event = (readRecord(torch, record.end) as { data: Uint8Array }).data;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat({ max: event.length - 1 }), (noise, at) => {
      readRecord(noise, 0);
      const changed = Uint8Array.from(event);
      changed.set(noise.subarray(0, event.length - at), at);
      for (const message of [noise, changed]) {
        try {
          new ScalarReader().read(message);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
