import { statSync } from "node:fs";
import { join } from "node:path";
import { readCifar, type CifarKind } from "./cifar.js";
import { oneHot, type Dataset, type Split } from "./dataset.js";
import { imageCacheFolder } from "./image-cache.js";
import { readImageFolder } from "./image-folder.js";
import { imageInputs, type ImageSet, type Normalisation } from "./image-set.js";
import { dataFolder } from "./location.js";
import { BadInput } from "../errors.js";

export interface ImageDatasetOptions {
  /** Training images: the first so many. Default 1000. */
  readonly examples?: number;
  /** Test images: the first so many. Default 1000. */
  readonly testExamples?: number;
  /** Folder of the files. Default: where `sedge data get` puts them. */
  readonly path?: string | undefined;
}

export interface ImageFolderDatasetOptions extends ImageDatasetOptions {
  readonly path: string;
  /** Side to which images are resized and cut. Default 64. */
  readonly side?: number | undefined;
  /** Go on without images that cannot be read. Default false. */
  readonly skipBroken?: boolean | undefined;
  /** Where decoded images are kept; false keeps none. Default `imageCacheFolder()`. */
  readonly cache?: string | false | undefined;
}

/** Of all training images of each data set; of ImageNet's for folders. */
const normalisations = {
  cifar10: { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.2435, 0.2616] },
  cifar100: { mean: [0.5071, 0.4865, 0.4409], deviation: [0.2673, 0.2564, 0.2762] },
  folder: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
} as const satisfies Record<string, Normalisation>;

/**
 * CIFAR-10 or CIFAR-100 from the files of their binary version, standardised by channel, labels (of CIFAR-100 the fine
 * ones) one-hot.
 *
 * @throws BadInput naming the file or folder, what it has and what it should have.
 */
export async function cifar(
  kind: CifarKind,
  { examples = 1000, testExamples = 1000, path = dataFolder(kind) }: ImageDatasetOptions = {},
): Promise<Dataset> {
  const train = readCifar(path, { kind, split: "train", examples });
  const test = readCifar(path, { kind, split: "test", examples: testExamples });
  return imageDataset(kind, train, test, normalisations[kind]);
}

/**
 * A folder of JPEG and PNG images in one folder for each class. Where it has folders `train` and `test` or `val` in it,
 * these are the sets; otherwise (or with one of the latter alone) the images after the training ones are the test set.
 *
 * @throws BadInput naming the folder or the image that cannot be read.
 */
export async function imageFolder(options: ImageFolderDatasetOptions): Promise<Dataset> {
  const { examples = 1000, testExamples = 1000, side = 64, skipBroken, cache = imageCacheFolder() } = options;
  const size = { height: side, width: side, skipBroken, cache };
  const path = soleSplit(options.path);
  const trainFolder = join(path, "train");
  if (isFolder(trainFolder)) {
    const testFolder = ["test", "val"].map((name) => join(path, name)).find(isFolder);
    if (testFolder === undefined)
      throw new BadInput(`data.path: ${path} has a folder train, but neither test nor val.`);
    const train = await readImageFolder(trainFolder, { ...size, examples });
    const test = await readImageFolder(testFolder, { ...size, examples: testExamples });
    requireCount(trainFolder, "data.examples", train.examples, examples);
    requireCount(testFolder, "data.testExamples", test.examples, testExamples);
    if (train.classes.join("/") !== test.classes.join("/")) {
      throw new BadInput(`data.path: ${trainFolder} and ${testFolder} hold different classes.`);
    }
    return imageDataset("image-folder", train, test, normalisations.folder);
  }
  const all = await readImageFolder(path, { ...size, examples: examples + testExamples });
  requireCount(path, "data.examples + data.testExamples", all.examples, examples + testExamples);
  return imageDataset(
    "image-folder",
    part(all, 0, examples),
    part(all, examples, examples + testExamples),
    normalisations.folder,
  );
}

/** ImageNet's validation images come in a folder of that name with no training ones beside it. */
function soleSplit(path: string): string {
  if (isFolder(join(path, "train"))) return path;
  return ["val", "test"].map((name) => join(path, name)).find(isFolder) ?? path;
}

function imageDataset(name: string, train: ImageSet, test: ImageSet, normalisation: Normalisation): Dataset {
  const outputs = train.classes.length;
  const split = (set: ImageSet): Split => ({
    examples: set.examples,
    inputs: imageInputs(set, normalisation, "channels-last"),
    targets: oneHot(set.labels, outputs, set.description),
  });
  return {
    name,
    description: `${train.description}; ${test.description}; standardised by channel`,
    inputShape: [train.height, train.width, train.channels],
    outputs,
    train: split(train),
    test: split(test),
  };
}

/** Images from place `start` to before `end`, in the set's own memory. */
function part(set: ImageSet, start: number, end: number): ImageSet {
  const size = set.height * set.width * set.channels;
  return {
    ...set,
    examples: end - start,
    pixels: set.pixels.subarray(start * size, end * size),
    labels: set.labels.subarray(start, end),
    description: `${set.description}, ${start} to ${end - 1}`,
  };
}

function requireCount(folder: string, key: string, found: number, wanted: number): void {
  if (found < wanted)
    throw new BadInput(`${folder}: holds ${found} images that can be read, ${key} asks for ${wanted}.`);
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
