/** Small data for tests of probes and of runs with probes. */
import { createRandom } from "@sedge/linalg";
import type { Dataset, Split } from "../data/dataset.js";

export interface NormalsOptions {
  readonly seed: string;
  /** Numbers in one input. */
  readonly inputs: number;
  readonly outputs: number;
  /** Examples to train and to test on. */
  readonly train: number;
  readonly test: number;
}

/** Inputs and targets of standard normals. */
export function normalsDataset({ seed, inputs, outputs, train, test }: NormalsOptions): Dataset {
  const split = (name: string, examples: number): Split => {
    const random = createRandom(seed).fork(name);
    return {
      examples,
      inputs: Float32Array.from(random.normals(examples * inputs)),
      targets: Float32Array.from(random.normals(examples * outputs)),
    };
  };
  return {
    name: "normals",
    description: "standard normals",
    inputShape: [inputs],
    outputs,
    train: split("train", train),
    test: split("test", test),
  };
}
