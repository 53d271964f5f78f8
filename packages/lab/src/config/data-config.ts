import { z } from "zod";

const count = () => z.int().min(1);

/** Data sets by name, with the most examples that each has to train and to test on; Infinity where files decide. */
export const dataSets = {
  mnist: { train: 60_000, test: 10_000 },
  "fashion-mnist": { train: 60_000, test: 10_000 },
  cifar10: { train: 50_000, test: 10_000 },
  cifar100: { train: 50_000, test: 10_000 },
  "image-folder": { train: Infinity, test: Infinity },
  npy: { train: Infinity, test: Infinity },
  npz: { train: Infinity, test: Infinity },
  synthetic: { train: 1e7, test: 1e7 },
} as const;

export type DataName = keyof typeof dataSets;

const syntheticSchema = z.strictObject({
  inputs: count().max(100_000).default(32).describe("Numbers in one input"),
  outputs: count().max(10_000).default(1).describe("C, outputs of the teacher"),
  exponent: z
    .number()
    .min(0)
    .default(1)
    .describe("The k-th eigenvalue of the inputs' covariance falls as k to the minus this; their mean is 1"),
  noise: z.number().min(0).default(0).describe("Standard deviation of what is added to the teacher's outputs"),
  teacher: z.enum(["linear", "mlp"]).default("linear").describe("A random linear map, or a tanh network of one layer"),
});

const augmentSchema = z.strictObject({
  crop: z
    .int()
    .min(0)
    .max(64)
    .default(0)
    .describe("Pixels by which a training image is shifted at most, zeros coming in"),
  flip: z
    .boolean()
    .default(false)
    .describe("Whether every second training image, by chance, is mirrored left to right"),
});

/** What a run trains and is tested on. */
export const dataSchema = z.strictObject({
  name: z
    .enum(Object.keys(dataSets) as [DataName, ...DataName[]])
    .default("mnist")
    .describe("Which data set"),
  examples: count().max(1e7).default(1000).describe("N, training examples: the first so many"),
  testExamples: count().max(1e7).default(1000).describe("Test examples: the first so many"),
  path: z
    .string()
    .min(1)
    .optional()
    .describe("Folder, or .npz file, with your own copy. Default: a folder in SEDGE_DATA"),
  labelNoise: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Share of the training labels drawn anew from all classes; 1 makes all of them random. Default 0"),
  seed: z
    .int()
    .min(0)
    .optional()
    .describe("Of label noise and synthetic data: not the run's, so that runs share data. Default 0"),
  side: count().max(4096).optional().describe("image-folder: images are resized to this side. Default 64"),
  skipBroken: z.boolean().optional().describe("image-folder: go on without images that cannot be read. Default false"),
  synthetic: syntheticSchema.optional(),
  augment: augmentSchema.optional(),
});

export type DataConfig = z.output<typeof dataSchema>;

/** What of the data's settings does not fit together: key and message. */
export function dataFaults(data: DataConfig): { readonly path: string[]; readonly message: string }[] {
  const fault = (key: string, message: string) => ({ path: ["data", key], message });
  const faults = [];
  const most = dataSets[data.name];
  for (const [key, limit] of [
    ["examples", most.train],
    ["testExamples", most.test],
  ] as const) {
    if (data[key] > limit) faults.push(fault(key, `expected a number at most ${limit}, got ${data[key]}`));
  }
  const only = (key: "side" | "skipBroken" | "synthetic", owner: DataName) => {
    if (data[key] !== undefined && data.name !== owner)
      faults.push(fault(key, `expected only with data.name ${owner}, got it with ${data.name}`));
  };
  only("side", "image-folder");
  only("skipBroken", "image-folder");
  only("synthetic", "synthetic");
  if (data.name === "synthetic" && data.path !== undefined)
    faults.push(fault("path", "expected none with data.name synthetic, which is not read from files"));
  if ((data.name === "npy" || data.name === "npz") && data.path === undefined)
    faults.push(fault("path", `expected where the files of ${data.name} are, got nothing`));
  return faults;
}
