import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeEach, expect, test } from "vitest";
import { imageCacheFolder } from "./image-cache.js";
import { imageFolder } from "./image-dataset.js";
import { readImageFolder } from "./image-folder.js";
import { recogniseData } from "./recognise.js";

const root = mkdtempSync(join(tmpdir(), "sedge-image-cache-"));
afterAll(() => rmSync(root, { recursive: true }));
let [images, cache, made] = ["", "", 0];
beforeEach(async () => {
  [images, cache] = [join(root, `images-${made}`), join(root, `cache-${made}`)];
  made++;
  for (const name of ["ant", "bee"]) mkdirSync(join(images, name), { recursive: true });
  await write("ant/1.png", 10);
  await write("ant/2.png", 20);
  await write("bee/1.png", 30);
});

async function write(name: string, level: number): Promise<void> {
  const create = { width: 5, height: 5, channels: 3, background: { r: level, g: level, b: level } } as const;
  writeFileSync(join(images, name), await sharp({ create }).png().toBuffer());
}

/** Reads, and tells whether anything was decoded. */
async function read(more: object = {}) {
  let decoded = 0;
  const set = await readImageFolder(images, {
    ...{ height: 4, width: 4, cache },
    ...more,
    onProgress: () => decoded++,
  });
  return { set, levels: [...set.labels].map((_, i) => set.pixels[i * 48]), decoded: decoded > 0 };
}

test("a second reading decodes nothing and gives the same", async () => {
  const first = await read();
  const second = await read();
  expect([first.decoded, second.decoded]).toEqual([true, false]);
  expect(second.levels).toEqual([10, 30, 20]);
  expect({ ...second.set, pixels: [...second.set.pixels] }).toEqual({ ...first.set, pixels: [...first.set.pixels] });
  expect(readdirSync(cache)).toHaveLength(1);
});

test.each<[string, () => Promise<void> | void, (number | undefined)[]]>([
  ["a file of another content", () => write("ant/1.png", 200), [200, 30, 20]],
  ["a new file", () => write("bee/0.png", 40), [10, 40, 20, 30]],
  ["a file that is gone", () => rmSync(join(images, "ant", "1.png")), [20, 30]],
  ["another time of change", () => utimesSync(join(images, "ant", "1.png"), 1, 1), [10, 30, 20]],
])("%s makes it anew, in place of the old", async (_, change, levels) => {
  await read();
  await change();
  const again = await read();
  expect(again.decoded).toBe(true);
  expect(again.levels).toEqual(levels);
  expect(readdirSync(cache)).toHaveLength(1);
});

test("another size and another number of images are kept beside it", async () => {
  await read();
  expect((await read({ height: 3, width: 3 })).decoded).toBe(true);
  expect((await read({ examples: 2 })).decoded).toBe(true);
  expect(readdirSync(cache)).toHaveLength(3);
  expect((await read()).decoded).toBe(false);
});

test("an entry that is cut or damaged is not taken", async () => {
  await read();
  const entry = join(cache, readdirSync(cache)[0]!);
  const whole = readFileSync(entry);
  for (const length of [0, 5, 11, 40, whole.length - 1]) {
    writeFileSync(entry, whole.subarray(0, length));
    const { decoded, levels } = await read();
    expect({ decoded, levels }).toEqual({ decoded: true, levels: [10, 30, 20] });
  }
});

test("a cache that cannot be written costs time only; without one nothing is kept", async () => {
  writeFileSync(cache, "in the way");
  expect((await read()).levels).toEqual([10, 30, 20]);
  expect(readFileSync(cache, "utf8")).toBe("in the way");
  expect((await read({ cache: false })).decoded).toBe(true);
});

test("with a broken image left out, the cache remembers which", async () => {
  writeFileSync(join(images, "ant", "1.png"), "no image");
  await expect(read()).rejects.toThrow(/ant\/1\.png: cannot be read as an image .*--skip-broken leaves such files out/);
  const first = await read({ skipBroken: true });
  const second = await read({ skipBroken: true });
  expect([first.decoded, second.decoded]).toEqual([true, false]);
  expect(second.set.skipped).toEqual([join(images, "ant", "1.png")]);
  await expect(read()).rejects.toThrow(/1\.png/); // and does not hide it from who did not ask
});

test("its place: SEDGE_CACHE, else the user's cache", () => {
  expect(imageCacheFolder({ SEDGE_CACHE: "/a" })).toBe("/a/images");
  expect(imageCacheFolder({ XDG_CACHE_HOME: "/b" })).toBe("/b/sedge/images");
});

test("a folder val alone, as ImageNet's is handed out, is read in its place", async () => {
  const above = join(root, "only-val");
  mkdirSync(above);
  renameSync(images, join(above, "val"));
  const dataset = await imageFolder({ path: above, examples: 2, testExamples: 1, side: 4, cache: false });
  expect(dataset.outputs).toBe(2);
  expect([dataset.train.examples, dataset.test.examples]).toEqual([2, 1]);
});

test("data are recognised by their files", () => {
  const make = (name: string, ...files: string[]) => {
    const path = join(root, name);
    for (const file of files) {
      mkdirSync(join(path, file, ".."), { recursive: true });
      writeFileSync(join(path, file), "");
    }
    return path;
  };
  expect(recogniseData(make("cifar", "data_batch_1.bin"))).toBe("cifar10");
  expect(recogniseData(make("hundred", "train.bin"))).toBe("cifar100");
  expect(recogniseData(make("idx", "train-images-idx3-ubyte"))).toBe("mnist");
  expect(recogniseData(make("arrays", "x.npy", "y.npy"))).toBe("npy");
  expect(recogniseData(join(make("zip", "a.npz"), "a.npz"))).toBe("npz");
  expect(recogniseData(images)).toBe("image-folder");
  expect(recogniseData(make("split", "train/a/1.JPEG"))).toBe("image-folder");
  expect(recogniseData(make("text", "a/b/notes.txt"))).toBeUndefined();
  expect(recogniseData(join(root, "absent"))).toBeUndefined();
});
