import type { Dataset } from "./dataset.js";
import { readIdxImages } from "./idx-images.js";
import { dataFolder } from "./location.js";
import type { MnistOptions } from "./mnist.js";

/**
 * Fashion-MNIST (Xiao et al., arXiv:1708.07747), in MNIST's files and shapes, standardised: (pixel/255 − 0.2860)/0.3530.
 *
 * @param options  `path` is the folder of the four unpacked files; by default where `sedge data get` puts them.
 * @throws BadInput naming the file or option, the value and what is allowed.
 */
export async function fashionMnist({
  examples = 1000,
  testExamples = 1000,
  path,
}: MnistOptions = {}): Promise<Dataset> {
  const folder = path ?? dataFolder("fashion-mnist");
  return {
    name: "fashion-mnist",
    description: `Fashion-MNIST: first ${examples} training and first ${testExamples} test images, standardised`,
    ...readIdxImages({ folder, examples, testExamples, mean: 0.286, deviation: 0.353 }),
  };
}
