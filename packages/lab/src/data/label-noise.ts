import { createRandom } from "@sedge/linalg";
import { BadInput } from "../errors.js";
import type { Dataset } from "./dataset.js";

/**
 * The data set with training labels drawn anew, each with probability `share`, uniformly from all classes: the label may
 * come out as it was. With share 1 all labels are random (Zhang et al., arXiv:1611.03530). The test set stays.
 *
 * @throws BadInput if targets are no one-hot labels.
 */
export function withLabelNoise(dataset: Dataset, share: number, seed = 0): Dataset {
  const { outputs, train } = dataset;
  const random = createRandom(seed).fork("label-noise");
  const targets = Float32Array.from(train.targets);
  let redrawn = 0;
  for (let i = 0; i < train.examples; i++) {
    const row = targets.subarray(i * outputs, (i + 1) * outputs);
    if (outputs < 2 || row.filter((y) => y === 1).length !== 1 || row.some((y) => y !== 0 && y !== 1)) {
      throw new BadInput(`data.labelNoise: expected one-hot labels, got other targets in ${dataset.name}.`);
    }
    // Both are drawn for every example: a larger share then redraws the same labels and more.
    const [chance, label] = [random.uniform(), random.integer(outputs)];
    if (chance >= share) continue;
    row.fill(0);
    row[label] = 1;
    redrawn++;
  }
  return {
    ...dataset,
    description: `${dataset.description}, ${redrawn} training labels drawn at random`,
    train: { ...train, targets },
  };
}
