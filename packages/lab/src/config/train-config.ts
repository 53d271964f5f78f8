import { z } from "zod";
import { BadInput } from "../errors.js";
import { describeIssues } from "./describe-issues.js";

const count = () => z.int().min(1);

const dataSchema = z.strictObject({
  name: z.literal("mnist").default("mnist").describe("Which data set"),
  examples: count().max(60_000).default(1000).describe("N, training examples: the first so many"),
  testExamples: count().max(10_000).default(1000).describe("Test examples: the first so many"),
  path: z.string().min(1).optional().describe("Folder with your own copy of the data files"),
});

const modelSchema = z.strictObject({
  kind: z.literal("mlp").default("mlp").describe("Which model"),
  widths: z.array(count()).max(64).default([128, 128]).describe("Widths of the hidden layers; none for a linear model"),
  activation: z.enum(["tanh", "erf", "gelu", "relu"]).default("tanh").describe("Between the layers"),
});

const probesSchema = z
  .strictObject({
    count: z.int().min(2).optional().describe("Measurements over the run, first and last step included. Default 16"),
    every: count().optional().describe("Measure on steps divisible by this, and on the last, instead of `count` times"),
    budget: z
      .number()
      .positive()
      .lt(1)
      .optional()
      .describe("Measure as often as keeps all probes within this share of the wall time, instead of `count` times"),
    examples: z.int().min(2).default(64).describe("n, training examples on which K is measured"),
  })
  .superRefine((probes, context) => {
    const given = (["count", "every", "budget"] as const).filter((key) => probes[key] !== undefined);
    if (given.length < 2) return;
    context.addIssue({
      code: "custom",
      path: [given[1]!],
      message: `expected only one of count, every and budget, got ${given.join(" and ")}`,
    });
  });

/**
 * One training run, as written in a YAML or JSON file. Every key is explained where it stands; an unknown key is an
 * error. Defaults describe the main example: an MLP 784-128-128-10 on 1000 images of MNIST.
 */
export const trainConfigSchema = z
  .strictObject({
    name: z.string().min(1).max(200).optional().describe("For people; shown wherever the run is listed"),
    seed: z.int().min(0).default(0).describe("Of the initialisation, the minibatches and the probes"),
    data: dataSchema.prefault({}),
    model: modelSchema.prefault({}),
    loss: z
      .enum(["squared", "cross-entropy"])
      .default("squared")
      .describe("Mean over examples of ½‖f − y‖², or of −Σ y log softmax(f)"),
    learningRate: z.number().positive().describe("η"),
    momentum: z.number().min(0).lt(1).default(0).describe("m, heavy ball"),
    weightDecay: z.number().min(0).default(0).describe("δ, L2: δθ is added to the gradient"),
    batchSize: count().describe("B, examples in a minibatch"),
    steps: count().max(1e9).describe("Optimiser updates"),
    sampling: z
      .enum(["with-replacement", "without-replacement", "epoch-shuffle"])
      .default("with-replacement")
      .describe("How a minibatch is drawn"),
    probes: probesSchema.prefault({}),
    threads: count().max(256).default(1).describe("Of a training step; 1 is fastest for small models"),
  })
  .refine(({ batchSize, data }) => batchSize <= data.examples, {
    path: ["batchSize"],
    error: ({ input }) => {
      const { batchSize, data } = input as { batchSize: number; data: { examples: number } };
      return `expected at most data.examples = ${data.examples}, got ${batchSize}`;
    },
  })
  .refine(({ probes, data }) => probes.examples <= data.examples, {
    path: ["probes", "examples"],
    error: ({ input }) => {
      const { probes, data } = input as { probes: { examples: number }; data: { examples: number } };
      return `expected at most data.examples = ${data.examples}, got ${probes.examples}`;
    },
  });

/** A complete config, defaults filled in. */
export type TrainConfig = z.output<typeof trainConfigSchema>;
/** What a config file holds: `learningRate`, `batchSize` and `steps` are needed, the rest has defaults. */
export type TrainConfigInput = z.input<typeof trainConfigSchema>;

/**
 * A config with its defaults, from plain data.
 *
 * @param source  Where it came from, put before the message: a file name.
 * @throws BadInput with one clause for each fault: key, what is allowed, what was given.
 */
export function parseTrainConfig(value: unknown, source?: string): TrainConfig {
  const parsed = trainConfigSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const issues = describeIssues(parsed.error, trainConfigSchema).join("; ");
  throw new BadInput(source === undefined ? issues : `${source}: ${issues}`);
}
