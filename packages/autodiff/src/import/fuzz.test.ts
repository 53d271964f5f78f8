import fc from "fast-check";
import { expect, test } from "vitest";
import { OnnxFileError } from "../ir/errors.js";
import { pytorchFixtures, readFixtureFile } from "../testing/pytorch-fixture.js";
import { importOnnx } from "./import-onnx.js";

const files = [
  "mlp-torchscript-17.onnx",
  "cnn-torchscript-13.onnx",
  "gpt-dynamo-sdpa-18.onnx",
  "unet-torchscript-18.onnx",
];
const originals = files.map((file) => ({ file, bytes: new Uint8Array(readFixtureFile(file)) }));

/** A damaged file is read as what it happens to say, or refused with the typed error. Nothing else may come out. */
function readsOrRefuses(bytes: Uint8Array): void {
  try {
    importOnnx(bytes);
  } catch (error) {
    if (!(error instanceof OnnxFileError)) throw error;
    expect(error.message).toMatch(/^importOnnx: model: /);
  }
}

test("files cut short anywhere", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      ({ bytes }, part) => readsOrRefuses(bytes.subarray(0, Math.floor(part * bytes.length))),
    ),
    { numRuns: 150 },
  );
});

test("files with a few bytes changed", () => {
  const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), value: fc.nat(255) });
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.array(change, { minLength: 1, maxLength: 6 }),
      ({ bytes }, changes) => {
        const damaged = bytes.slice();
        for (const { at, value } of changes) damaged[Math.floor(at * damaged.length)] = value;
        readsOrRefuses(damaged);
      },
    ),
    { numRuns: 300 },
  );
});

test("files with a stretch removed, repeated or replaced by noise", () => {
  const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      place,
      fc.nat(200),
      fc.uint8Array({ maxLength: 40 }),
      ({ bytes }, at, length, noise) => {
        const start = Math.floor(at * bytes.length);
        const parts = [bytes.subarray(0, start), noise, bytes.subarray(Math.min(bytes.length, start + length))];
        readsOrRefuses(Uint8Array.from(parts.flatMap((part) => [...part])));
      },
    ),
    { numRuns: 150 },
  );
});

test("noise", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => readsOrRefuses(bytes)),
    { numRuns: 300 },
  );
});

test("a file is read from a view into a larger buffer at any offset", () => {
  const { file } = pytorchFixtures().flatMap((fixture) => fixture.files)[0]!;
  const bytes = readFixtureFile(file);
  for (const offset of [0, 1, 3, 7]) {
    const buffer = new Uint8Array(bytes.length + 8);
    buffer.set(bytes, offset);
    expect(Object.keys(importOnnx(buffer.subarray(offset, offset + bytes.length)).params).length).toBeGreaterThan(0);
  }
});
