import fc from "fast-check";
import { expect, test } from "vitest";
import { StoreError } from "../errors.js";
import { blockEvents, decodeMetricBlock, encodeMetricBlock } from "./metric-block.js";

const keys = ["loss/train", "noiseKernel/exact", "sharpness"];
const id = (key: string) => keys.indexOf(key);
const key = (metric: number) => keys[metric]!;

const anyValue = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, Number.MIN_VALUE));
const anyEvent = fc.record({
  step: fc.nat(),
  time: fc.double({ noNaN: true }),
  values: fc.dictionary(fc.constantFrom(...keys), anyValue, { noNullPrototype: true }),
});

test("what goes in comes out bit for bit: NaN, infinities, -0, and metrics that only some events have", () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 200 }), (events) => {
      const block = decodeMetricBlock(encodeMetricBlock(events, id));
      // toEqual tells -0 from 0 and takes NaN for NaN.
      expect(blockEvents(block, key)).toEqual(events);
    }),
  );
});

test("a changed bit anywhere is noticed", () => {
  const bytes = encodeMetricBlock([{ step: 1, time: 2, values: { sharpness: 3, "loss/train": NaN } }], id);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => decodeMetricBlock(damaged)).toThrow(StoreError);
  }
});

test("a block cut short is refused", () => {
  const bytes = encodeMetricBlock([{ step: 1, time: 2, values: { sharpness: 3 } }], id);
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeMetricBlock(bytes.subarray(0, length))).toThrow(StoreError);
  }
});

test("a block reads the same from unaligned memory", () => {
  const bytes = encodeMetricBlock([{ step: 7, time: 2, values: { sharpness: 3 } }], id);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  expect(decodeMetricBlock(shifted.subarray(1)).steps).toEqual(Float64Array.of(7));
});
