import { readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import type { DataName } from "../config/data-config.js";
import { imageExtensions } from "./image-folder.js";

/**
 * Which data set a path holds, as its files show: `.npz`; IDX files (Fashion-MNIST has MNIST's names, so these count as
 * MNIST); CIFAR's binary batches; NumPy arrays `x.npy` and `y.npy`; folders of images.
 *
 * @returns undefined if the path is none of these, or not there.
 */
export function recogniseData(path: string): DataName | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isDirectory()) return extname(path).toLowerCase() === ".npz" ? "npz" : undefined;
  const names = new Set(readdirSync(path));
  if (names.has("train-images-idx3-ubyte")) return "mnist";
  if (names.has("data_batch_1.bin")) return "cifar10";
  if (names.has("train.bin")) return "cifar100";
  if (names.has("x.npy")) return "npy";
  return hasImages(path, 3) ? "image-folder" : undefined;
}

/** Whether an image is among the files of a folder, or of the first folder at each level below it. */
function hasImages(folder: string, levels: number): boolean {
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some((entry) => entry.isFile() && imageExtensions.has(extname(entry.name).toLowerCase()))) return true;
  const below = entries.find((entry) => entry.isDirectory() && !entry.name.startsWith("."));
  return levels > 1 && below !== undefined && hasImages(join(folder, below.name), levels - 1);
}
