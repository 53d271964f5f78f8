import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createRandom } from "@sedge/linalg";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BadInput } from "../errors.js";
import { readCifar } from "./cifar.js";
import { readImageFolder } from "./image-folder.js";
import { channelStatistics, imageInputs, type ImageSet } from "./image-set.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-images-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A record of CIFAR as its description lays it out: labels, then red, green and blue plane of 1024 bytes. */
const record = (labels: number[], at: (channel: number, place: number) => number) =>
  Buffer.from([...labels, ...[0, 1, 2].flatMap((c) => Array.from({ length: 1024 }, (_, k) => at(c, k) & 255))]);

function write(name: string, content: Buffer | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("readCifar", () => {
  const two = Buffer.concat([record([3], (c, k) => c * 50 + (k % 7)), record([9], (c, k) => 200 - c - (k % 3))]);

  test("planes become pixels, labels and classes come along", () => {
    const { pixels, labels, classes, examples, ...size } = readCifar(write("a.bin", two), { kind: "cifar10" });
    expect([examples, size.height, size.width, size.channels]).toEqual([2, 32, 32, 3]);
    expect([...labels]).toEqual([3, 9]);
    expect(classes).toHaveLength(10);
    expect([...pixels.subarray(0, 6)]).toEqual([0, 50, 100, 1, 51, 101]); // pixel 0, then pixel 1: red, green, blue
    expect([...pixels.subarray(3072, 3075)]).toEqual([200, 199, 198]);
  });

  test("CIFAR-100 takes the fine label", () => {
    const path = write(
      "hundred.bin",
      record([7, 83], () => 1),
    );
    expect([...readCifar(path, { kind: "cifar100" }).labels]).toEqual([83]);
  });

  test("a folder: what batches there are, class names beside them, no more than asked for", () => {
    const place = join(folder, "batches");
    mkdirSync(place);
    writeFileSync(join(place, "data_batch_1.bin"), two);
    writeFileSync(
      join(place, "data_batch_3.bin"),
      record([0], () => 5),
    );
    writeFileSync(join(place, "batches.meta.txt"), `${"abcdefghij".split("").join("\n")}\n\n`);
    const whole = readCifar(place, { kind: "cifar10" });
    expect([...whole.labels]).toEqual([3, 9, 0]);
    expect(whole.classes[3]).toBe("d");
    expect([...readCifar(place, { kind: "cifar10", examples: 1 }).labels]).toEqual([3]);
    expect(() => readCifar(place, { kind: "cifar10", examples: 4 })).toThrow(/holds 3 images, 4 were asked for/);
    expect(() => readCifar(place, { kind: "cifar10", split: "test" })).toThrow(/expected test_batch\.bin, found none/);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      "a cut file",
      () => readCifar(write("cut.bin", two.subarray(1)), { kind: "cifar10" }),
      /records of 3073 bytes.*got 6145/,
    ],
    ["an empty file", () => readCifar(write("none.bin", ""), { kind: "cifar10" }), /got 0 bytes/],
    [
      "a label out of range",
      () =>
        readCifar(
          write(
            "l.bin",
            record([10], () => 0),
          ),
          { kind: "cifar10" },
        ),
      /record 0: label 10; allowed are 0…9/,
    ],
    [
      "nothing",
      () => readCifar(join(folder, "absent"), { kind: "cifar10" }),
      /absent: expected a cifar10 file or folder, found nothing/,
    ],
  ])("refuses %s", (_, read, message) => {
    expect(read).toThrow(message);
    expect(read).toThrow(BadInput);
  });
});

describe("readImageFolder", () => {
  const flat = (red: number, green: number, blue: number, width = 8, height = 6) =>
    sharp({ create: { width, height, channels: 3, background: { r: red, g: green, b: blue } } });
  let place: string;
  beforeAll(async () => {
    place = join(folder, "classes");
    for (const name of ["cat", "ant"]) mkdirSync(join(place, name), { recursive: true });
    writeFileSync(join(place, "cat", "1.png"), await flat(10, 20, 30).png().toBuffer());
    writeFileSync(join(place, "cat", "2.JPEG"), await flat(200, 200, 200).jpeg({ quality: 100 }).toBuffer());
    writeFileSync(join(place, "ant", "grey.png"), await flat(90, 90, 90).greyscale().png().toBuffer());
    writeFileSync(join(place, "ant", "notes.txt"), "no image");
  });

  test("classes in order of their names, in turn; resized; grey and JPEG too", async () => {
    const set = await readImageFolder(place, { height: 4, width: 4 });
    expect([set.examples, set.height, set.width, set.channels, set.available]).toEqual([3, 4, 4, 3, 3]);
    expect(set.classes).toEqual(["ant", "cat"]);
    expect([...set.labels]).toEqual([0, 1, 1]);
    // A resized flat image is flat; JPEG at full quality is off by a level or so.
    const first = (image: number) => [...set.pixels.subarray(image * 48, image * 48 + 3)];
    expect(first(0)).toEqual([90, 90, 90]);
    expect(first(1)).toEqual([10, 20, 30]);
    for (const level of first(2)) expect(Math.abs(level - 200)).toBeLessThanOrEqual(2);
    expect((await readImageFolder(place, { height: 4, width: 4, examples: 2 })).examples).toBe(2);
  });

  test("at random: every image as likely as any other, whatever its class", async () => {
    const drawn = [0, 0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const { paths } = await readImageFolder(place, { height: 1, width: 1, examples: 1, random: createRandom(seed) });
      drawn[["grey.png", "1.png", "2.JPEG"].indexOf(basename(paths[0]!))]!++;
    }
    // 20 expected of each, with a standard deviation of 3.7: four of them, one seed.
    for (const count of drawn) expect(Math.abs(count - 20)).toBeLessThan(15);
  });

  test("a broken image is named, or left out and counted", async () => {
    const broken = join(folder, "broken");
    mkdirSync(join(broken, "a"), { recursive: true });
    const good = await flat(1, 2, 3, 64, 64).jpeg().toBuffer();
    writeFileSync(join(broken, "a", "1.jpg"), good.subarray(0, good.length / 2));
    writeFileSync(join(broken, "a", "2.jpg"), good);
    const size = { height: 4, width: 4 };
    await expect(readImageFolder(broken, size)).rejects.toThrow(
      /1\.jpg: cannot be read as an image \([^\n]*\); --skip-broken leaves such files out\.$/,
    );
    const set = await readImageFolder(broken, { ...size, skipBroken: true });
    expect(set.skipped.map((path) => path.slice(-5))).toEqual(["1.jpg"]);
    expect(set.examples).toBe(1);
    expect(set.description).toMatch(/1 broken ones? left out/);
  });

  test("no folder, no class and no image are refused; an abort ends it", async () => {
    const size = { height: 4, width: 4 };
    await expect(readImageFolder(join(folder, "absent"), size)).rejects.toThrow(/expected a folder of folders/);
    mkdirSync(join(folder, "empty", "a"), { recursive: true });
    await expect(readImageFolder(join(folder, "empty"), size)).rejects.toThrow(/found 1 folders and no such file/);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(readImageFolder(place, { ...size, signal })).rejects.toThrow("enough");
  });
});

describe("imageInputs", () => {
  const set: ImageSet = {
    ...{
      examples: 1,
      height: 1,
      width: 2,
      channels: 3,
      labels: Int32Array.of(0),
      classes: ["a"],
      description: "two pixels",
    },
    pixels: Uint8Array.of(0, 51, 255, 255, 102, 0),
  };

  test("scales each channel, in either order", () => {
    const scale = { mean: [0, 0.2, 0], deviation: [1, 0.2, 2] };
    const last = [...imageInputs(set, scale, "channels-last")];
    [0, 0, 0.5, 1, 1, 0].forEach((value, i) => expect(last[i]).toBeCloseTo(value, 6));
    const first = [...imageInputs(set, scale, "channels-first")];
    [0, 1, 0, 1, 0.5, 0].forEach((value, i) => expect(first[i]).toBeCloseTo(value, 6));
  });

  test("refuses other numbers of channels and a deviation of zero", () => {
    expect(() => imageInputs(set, { mean: [0, 0], deviation: [1] }, "channels-last")).toThrow(/mean: expected 1 or 3/);
    expect(() => imageInputs(set, { mean: [0], deviation: [0] }, "channels-last")).toThrow(
      /deviation: .* above 0, got 0/,
    );
  });

  test("its own statistics give mean 0 and variance 1", () => {
    const { mean, deviation } = channelStatistics({ ...set, pixels: Uint8Array.of(10, 20, 30, 40, 60, 90) });
    const values = imageInputs(
      { ...set, pixels: Uint8Array.of(10, 20, 30, 40, 60, 90) },
      { mean, deviation },
      "channels-first",
    );
    for (const channel of [0, 1, 2]) {
      const [a, b] = values.subarray(2 * channel, 2 * channel + 2) as unknown as [number, number];
      expect(a + b).toBeCloseTo(0, 5);
      expect((a * a + b * b) / 2).toBeCloseTo(1, 5);
    }
  });
});
