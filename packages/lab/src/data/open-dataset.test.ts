import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseTrainConfig } from "../config/train-config.js";
import { BadInput } from "../errors.js";
import { dataFolder } from "./location.js";
import { openDataset } from "./open-dataset.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-data-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const open = (data: object) =>
  openDataset(parseTrainConfig({ learningRate: 1, batchSize: 1, steps: 1, probes: { examples: 2 }, data }).data);

/** Records of a label and 3072 bytes of pixels, all `value`. */
function cifarFile(name: string, labels: readonly number[], value: number): void {
  const records = labels.map((label) => Buffer.concat([Buffer.from([label]), Buffer.alloc(3072, value)]));
  writeFileSync(join(folder, "cifar", name), Buffer.concat(records));
}

test("CIFAR-10 is read, standardised by channel, with channels last", async () => {
  mkdirSync(join(folder, "cifar"));
  cifarFile("data_batch_1.bin", [3, 9], 255);
  cifarFile("test_batch.bin", [0], 0);
  const data = await open({ name: "cifar10", path: join(folder, "cifar"), examples: 2, testExamples: 1 });
  expect([data.inputShape, data.outputs, data.train.examples]).toEqual([[32, 32, 3], 10, 2]);
  expect(Array.from(data.train.targets.subarray(0, 10))).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  // (1 − 0.4914)/0.247 and so on for white, −0.4914/0.247 for black: float32.
  [(1 - 0.4914) / 0.247, (1 - 0.4822) / 0.2435, (1 - 0.4465) / 0.2616].forEach((white, channel) =>
    expect(data.train.inputs[channel]).toBe(Math.fround(white)),
  );
  expect(data.test.inputs[0]).toBe(Math.fround(-0.4914 / 0.247));
  await expect(open({ name: "cifar10", path: join(folder, "cifar"), examples: 3, testExamples: 1 })).rejects.toThrow(
    /holds 2 images, 3 were asked for/,
  );
});

test("a folder of images is split into training and test set, with train and val or without", async () => {
  const image = (path: string, level: number) =>
    sharp({ create: { width: 6, height: 4, channels: 3, background: { r: level, g: level, b: level } } })
      .png()
      .toFile(path);
  for (const name of ["flat/a", "flat/b", "split/train/a", "split/train/b", "split/val/a", "split/val/b"]) {
    mkdirSync(join(folder, name), { recursive: true });
    await image(join(folder, name, "0.png"), 10);
    await image(join(folder, name, "1.png"), 200);
  }
  for (const [name, testExamples] of [
    ["flat", 1],
    ["split", 4],
  ] as const) {
    const examples = 3;
    const data = await open({ name: "image-folder", path: join(folder, name), side: 8, examples, testExamples });
    expect([data.inputShape, data.outputs]).toEqual([[8, 8, 3], 2]);
    expect([data.train.inputs.length, data.test.targets.length]).toEqual([3 * 192, 2 * testExamples]);
  }
  writeFileSync(join(folder, "flat/b/2.png"), "no image");
  const broken = { name: "image-folder", path: join(folder, "flat"), side: 8, examples: 3, testExamples: 2 };
  await expect(open(broken)).rejects.toThrow(/2\.png/);
  await expect(open({ ...broken, skipBroken: true })).rejects.toThrow(
    /holds 4 images that can be read, data.examples \+ data.testExamples asks for 5/,
  );
});

test("synthetic data and label noise come with their settings", async () => {
  const data = await open({
    name: "synthetic",
    examples: 10,
    testExamples: 4,
    synthetic: { inputs: 5, outputs: 2, teacher: "mlp" },
  });
  expect([data.inputShape, data.outputs, data.train.examples, data.test.examples]).toEqual([[5], 2, 10, 4]);
  const mnist = { name: "mnist", examples: 100, testExamples: 1 };
  const [clean, noisy] = [await open(mnist), await open({ ...mnist, labelNoise: 1 })];
  expect(noisy.train.targets).not.toEqual(clean.train.targets);
  expect(noisy.train.inputs).toEqual(clean.train.inputs);
});

test("Fashion-MNIST that is not there is named by the folder where it would be", async () => {
  const path = join(folder, "nowhere");
  await expect(open({ name: "fashion-mnist", path })).rejects.toThrow(BadInput);
  await expect(open({ name: "fashion-mnist", path })).rejects.toThrow(path);
});

test("data are looked for in SEDGE_DATA, else in the user's cache", () => {
  expect(dataFolder("cifar10", { SEDGE_DATA: "/data" })).toBe("/data/cifar10");
  expect(dataFolder("cifar10", { XDG_CACHE_HOME: "/cache" })).toBe("/cache/sedge/data/cifar10");
  expect(dataFolder("cifar10", {})).toMatch(/\.cache\/sedge\/data\/cifar10$/);
});
