import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BadInput } from "../errors.js";
import { takeExamples } from "./dataset.js";
import { IdxError } from "./idx.js";
import { mnist } from "./mnist.js";

describe("the bundled MNIST", () => {
  test("is the MNIST everyone knows", async () => {
    const { train, test: held, inputShape, outputs } = await mnist({ examples: 60_000, testExamples: 10_000 });
    expect([train.examples, held.examples, inputShape, outputs]).toEqual([60_000, 10_000, [28, 28, 1], 10]);
    // The published first labels: 5 0 4 1 9 for training, 7 2 1 0 4 for testing.
    expect(firstLabels(train.targets)).toEqual([5, 0, 4, 1, 9]);
    expect(firstLabels(held.targets)).toEqual([7, 2, 1, 0, 4]);
    // 0.1307 and 0.3081 are the data's own mean and deviation, rounded in the fourth digit: ±5e-5 / 0.3081 = 2e-4.
    let sum = 0;
    let squares = 0;
    for (const value of train.inputs) {
      sum += value;
      squares += value * value;
    }
    const count = train.inputs.length;
    expect(Math.abs(sum / count)).toBeLessThan(2e-4);
    expect(Math.abs(squares / count - 1)).toBeLessThan(4e-4);
  });

  test("a smaller set is the beginning of a larger one, and every target row has one 1", async () => {
    const small = await mnist({ examples: 20, testExamples: 5 });
    const large = await mnist({ examples: 50, testExamples: 5 });
    expect(small.train.inputs).toEqual(large.train.inputs.subarray(0, 20 * 784));
    expect(small.train.targets).toEqual(large.train.targets.subarray(0, 200));
    for (let i = 0; i < 20; i++) {
      const row = Array.from(small.train.targets.subarray(10 * i, 10 * i + 10)).sort();
      expect(row).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }
  });

  test("takeExamples copies the rows asked for and refuses others", async () => {
    const { train } = await mnist({ examples: 10, testExamples: 1 });
    const taken = takeExamples(train, [3, 0]);
    expect(taken.inputs.subarray(784)).toEqual(train.inputs.subarray(0, 784));
    expect(taken.targets.subarray(0, 10)).toEqual(train.targets.subarray(30, 40));
    expect(() => takeExamples(train, [10])).toThrow("index 10 is outside 0…9");
  });
});

describe("a folder of one's own", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-mnist-"))));
  afterAll(() => rmSync(folder, { recursive: true }));

  function write(name: string, shape: number[], fill: (i: number) => number): void {
    const count = shape.reduce((product, axis) => product * axis, 1);
    const bytes = Buffer.alloc(4 + 4 * shape.length + count);
    bytes.writeUInt32BE(0x0800 | shape.length, 0);
    shape.forEach((axis, i) => bytes.writeUInt32BE(axis, 4 + 4 * i));
    for (let i = 0; i < count; i++) bytes[4 + 4 * shape.length + i] = fill(i);
    writeFileSync(join(folder, name), bytes);
  }

  function writeAll({ images = 4, labels = 4, side = 28, label = (i: number) => i } = {}): void {
    for (const prefix of ["train", "t10k"]) {
      write(`${prefix}-images-idx3-ubyte`, [images, side, side], (i) => i % 256);
      write(`${prefix}-labels-idx1-ubyte`, [labels], label);
    }
  }

  test("is read from the path, scaled as documented", async () => {
    writeAll();
    const { train } = await mnist({ examples: 4, testExamples: 4, path: folder });
    expect(firstLabels(train.targets).slice(0, 4)).toEqual([0, 1, 2, 3]);
    // Pixel 255 is white: (1 − 0.1307)/0.3081, rounded once to float32 (relative 6e-8).
    expect(Math.abs(train.inputs[255]! - (1 - 0.1307) / 0.3081)).toBeLessThan(2e-7);
  });

  test.each<[string, Parameters<typeof writeAll>[0], RegExp]>([
    [
      "labels and images that do not match in number",
      { labels: 5 },
      /train-images.*holds 4 entries, its companion file 5/,
    ],
    ["images of another size", { side: 27 }, /expected images of 28 × 28, got 27 × 27/],
    ["a label that is no digit", { label: () => 10 }, /train-labels.*label 0 is 10; allowed are 0…9/],
  ])("refuses %s", async (_, files, message) => {
    writeAll(files);
    await expect(mnist({ examples: 4, testExamples: 4, path: folder })).rejects.toThrow(message);
    await expect(mnist({ examples: 4, testExamples: 4, path: folder })).rejects.toBeInstanceOf(BadInput);
  });

  test("refuses more examples than it holds, a folder that is none, and counts that are none", async () => {
    writeAll();
    await expect(mnist({ examples: 5, testExamples: 4, path: folder })).rejects.toBeInstanceOf(IdxError);
    await expect(mnist({ path: join(folder, "absent") })).rejects.toThrow(/absent is not a folder/);
    await expect(mnist({ examples: 0 })).rejects.toThrow(
      "data.examples: expected a whole number from 1 to 60000, got 0.",
    );
    await expect(mnist({ testExamples: 10_001 })).rejects.toThrow("data.testExamples: expected");
  });
});

function firstLabels(targets: Float32Array): number[] {
  return Array.from({ length: Math.min(5, targets.length / 10) }, (_, i) =>
    targets.subarray(10 * i, 10 * i + 10).indexOf(1),
  );
}
