import type { DataConfig } from "../config/data-config.js";
import { arrayDataset } from "./array-dataset.js";
import type { Dataset } from "./dataset.js";
import { fashionMnist } from "./fashion-mnist.js";
import { cifar, imageFolder } from "./image-dataset.js";
import { dataFolder } from "./location.js";
import { withLabelNoise } from "./label-noise.js";
import { mnist } from "./mnist.js";
import { synthetic } from "./synthetic.js";

/**
 * The data set that a config names, with its label noise.
 *
 * @throws BadInput naming the file or key at fault.
 */
export async function openDataset(config: DataConfig): Promise<Dataset> {
  const dataset = await read(config);
  const { labelNoise = 0, seed = 0 } = config;
  return labelNoise === 0 ? dataset : withLabelNoise(dataset, labelNoise, seed);
}

function read({ name, examples, testExamples, path, ...own }: DataConfig): Promise<Dataset> | Dataset {
  const counts = { examples, testExamples, ...(path !== undefined && { path }) };
  switch (name) {
    case "mnist":
      return mnist(counts);
    case "fashion-mnist":
      return fashionMnist(counts);
    case "synthetic":
      return synthetic({ ...counts, ...own.synthetic, ...(own.seed !== undefined && { seed: own.seed }) });
    case "cifar10":
    case "cifar100":
      return cifar(name, counts);
    case "image-folder":
      return imageFolder({ ...counts, path: path ?? dataFolder(name), side: own.side, skipBroken: own.skipBroken });
    case "npy":
    case "npz":
      return arrayDataset({ ...counts, path: path ?? dataFolder(name) });
  }
}
