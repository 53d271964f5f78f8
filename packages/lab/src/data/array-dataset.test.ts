import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BadInput } from "../errors.js";
import { arrayDataset } from "./array-dataset.js";
import { NpyError } from "./npy.js";
import { parseNpz } from "./npz.js";
import { npy, zip } from "./testing.js";

const x = npy(
  "<f4",
  [5, 2, 3],
  Array.from({ length: 30 }, (_, i) => i / 2),
);
const y = npy("<i8", [5], [0, 2, 1, 2, 0]);
const archive = (deflated = true) => zip({ "x.npy": x, "y.npy": y }, deflated);

describe("parseNpz", () => {
  test.each([true, false])("reads what savez writes, deflated %s", (deflated) => {
    const arrays = parseNpz(archive(deflated));
    expect(arrays["x"]).toMatchObject({ shape: [5, 2, 3], type: "float32" });
    expect(Array.from(arrays["x"]!.values)).toEqual(Array.from({ length: 30 }, (_, i) => i / 2));
    expect(Array.from(arrays["y"]!.values)).toEqual([0, 2, 1, 2, 0]);
    expect(Object.keys(parseNpz(archive(deflated), "a", ["y"]))).toEqual(["y"]);
  });

  test("refuses every truncation, and damage to its directory or data, by name", () => {
    const whole = archive();
    for (let length = 0; length < whole.length; length += 7) {
      expect(() => parseNpz(whole.subarray(0, length), "a.npz")).toThrow(NpyError);
    }
    const damaged = (at: number) => Buffer.from(whole.map((byte, i) => (i === at ? byte ^ 0xff : byte)));
    expect(() => parseNpz(damaged(whole.length - 22 + 17), "a.npz")).toThrow(/a\.npz: corrupt/);
    expect(() => parseNpz(damaged(44), "a.npz")).toThrow(/a\.npz: x\.npy: corrupt: its data do not unpack/);
  });
});

describe("arrayDataset", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-arrays-"))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, bytes: Buffer) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const arrays = (name: string, files: Record<string, Buffer>) => {
    mkdirSync(join(folder, name), { recursive: true });
    for (const [key, bytes] of Object.entries(files)) writeFileSync(join(folder, name, `${key}.npy`), bytes);
    return join(folder, name);
  };

  test("labels become one-hot; test examples come after the training ones", () => {
    const { train, test, inputShape, outputs } = arrayDataset({
      path: file("labels.npz", archive()),
      examples: 3,
      testExamples: 2,
    });
    expect([inputShape, outputs]).toEqual([[2, 3], 3]);
    expect(Array.from(train.targets)).toEqual([1, 0, 0, 0, 0, 1, 0, 1, 0]);
    expect(Array.from(test.inputs)).toEqual(Array.from({ length: 12 }, (_, i) => 9 + i / 2));
    expect(Array.from(test.targets)).toEqual([0, 0, 1, 1, 0, 0]);
  });

  test("a folder of .npy files, with numbers as targets and a test set of its own", () => {
    const path = arrays("own", {
      ...{ x: npy("<f4", [2, 2], [1, 2, 3, 4]), y: npy("<f4", [2, 1], [0.5, -1]) },
      ...{ x_test: npy("<f4", [1, 2], [5, 6]), y_test: npy("<f4", [1, 1], [7]) },
    });
    const { train, test, outputs } = arrayDataset({ path, examples: 2, testExamples: 1 });
    expect([outputs, Array.from(train.targets), Array.from(test.inputs)]).toEqual([1, [0.5, -1], [5, 6]]);
  });

  test.each<[string, () => Parameters<typeof arrayDataset>[0], RegExp]>([
    [
      "too many examples",
      () => ({ path: file("a.npz", archive()), examples: 5, testExamples: 1 }),
      /holds 5 examples, 6 were asked for/,
    ],
    ["no y", () => ({ path: arrays("no-y", { x }) }), /expected arrays x and y, got x/],
    ["half a test set", () => ({ path: arrays("half", { x, y, x_test: x }) }), /expected x_test and y_test or neither/],
    [
      "y of another length",
      () => ({ path: arrays("short", { x, y: npy("<i8", [4], [0, 1, 2, 3]) }) }),
      /expected y \[5\] or \[5, C\] for x \[5, 2, 3\], got \[4\]/,
    ],
    [
      "a negative label",
      () => ({ path: arrays("sign", { x, y: npy("<i8", [5], [0, -1, 2, 1, 1]) }), examples: 3, testExamples: 1 }),
      /label 1 is -1; allowed are 0…2/,
    ],
    [
      "a NaN",
      () => ({
        path: arrays("nan", { x: npy("<f4", [2, 1], [0, NaN]), y: npy("<f4", [2], [0, 0]) }),
        examples: 2,
        testExamples: 0,
      }),
      /x\[1\] holds NaN/,
    ],
    [
      "a file that is not there",
      () => ({ path: join(folder, "absent.npz") }),
      /absent\.npz: cannot be read \(ENOENT\)/,
    ],
  ])("refuses %s", (_, options, message) => {
    const attempt = () => arrayDataset(options());
    expect(attempt).toThrow(BadInput);
    expect(attempt).toThrow(message);
  });
});
