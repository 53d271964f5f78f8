import { z } from "zod";
import { BadInput } from "../errors.js";
import { controlFaults, controlSchema } from "./control-config.js";
import { dataFaults, dataSchema } from "./data-config.js";
import { describeIssues } from "./describe-issues.js";
import { completeModel, modelFaults, modelSchema } from "./model-config.js";
import { optimizerFaults, optimizerSchema } from "./optimizer-config.js";
import { defaultProbeNames, probeNames } from "../probes/names.js";
import { scheduleFaults, scheduleSchema } from "./schedule-config.js";

const count = () => z.int().min(1);

const probesSchema = z
  .strictObject({
    count: z
      .int()
      .min(2)
      .optional()
      .describe(
        "Measurements over the run, first and last step included. Default 16, and more within a budget of 0.05",
      ),
    every: count().optional().describe("Measure on steps divisible by this, and on the last, instead of `count` times"),
    budget: z
      .number()
      .positive()
      .lt(1)
      .optional()
      .describe(
        "Measure as often as keeps all probes within this share of the wall time, instead of `count` times. `cost/probes` says what they took",
      ),
    examples: z.int().min(2).default(64).describe("n, training examples on which K is measured"),
    process: z
      .enum(["same", "separate"])
      .optional()
      .describe("Where probes measure: while training waits (same, the default), or a copy in a second process"),
    measure: z
      .array(z.enum(probeNames))
      .min(1)
      .optional()
      .describe(`What to measure; at least one. Default ${defaultProbeNames.join(", ")}`),
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

/** The keys, without what ties them together. */
const keysSchema = z.strictObject({
  name: z.string().min(1).max(200).optional().describe("For people; shown wherever the run is listed"),
  seed: z.int().min(0).default(0).describe("Of the initialisation, the minibatches and the probes"),
  data: dataSchema.prefault({}),
  model: modelSchema.prefault({}),
  loss: z
    .enum(["squared", "mean-squared", "cross-entropy"])
    .default("squared")
    .describe("Mean over examples of ½‖f − y‖², of ‖f − y‖²/C (PyTorch's MSELoss), or of −Σ y log softmax(f)"),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe("cross-entropy: share ε of each target that goes to all classes alike. Default 0"),
  learningRate: z.number().positive().describe("η, or with a schedule its largest value"),
  schedule: scheduleSchema.optional(),
  optimizer: optimizerSchema.optional(),
  momentum: z.number().min(0).lt(1).default(0).describe("m, heavy ball, of sgd and rmsprop"),
  weightDecay: z.number().min(0).default(0).describe("δ: δθ is added to the gradient; decoupled in adamw"),
  clipNorm: z.number().positive().optional().describe("Longest gradient, over all parameters; longer ones are cut"),
  batchSize: count().describe("B, examples in a minibatch"),
  accumulate: count()
    .optional()
    .describe("Parts in which a minibatch goes through the model, to save memory; divides batchSize. Default 1"),
  steps: count().max(1e9).describe("Optimiser updates"),
  sampling: z
    .enum(["with-replacement", "without-replacement", "epoch-shuffle"])
    .default("with-replacement")
    .describe("How a minibatch is drawn"),
  probes: probesSchema.prefault({}),
  control: controlSchema.optional(),
  threads: count().max(256).default(1).describe("Of a training step; 1 is fastest for small models"),
});

/**
 * One training run, as written in a YAML or JSON file. Every key is explained where it stands; an unknown key is an
 * error. Defaults describe the main example: an MLP 784-128-128-10 on 1000 images of MNIST.
 */
export const trainConfigSchema = keysSchema.superRefine((config, context) => {
  for (const { path, message } of faultsOf(config)) context.addIssue({ code: "custom", path: [...path], message });
});

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

/** What no key shows by itself: settings that do not go together. */
function faultsOf(config: z.output<typeof keysSchema>): Fault[] {
  const { batchSize, data, probes, accumulate = 1, labelSmoothing } = config;
  const faults: Fault[] = [...dataFaults(data), ...modelFaults(config.model)];
  if (config.schedule !== undefined) faults.push(...scheduleFaults(config.schedule, config.steps));
  if (config.optimizer !== undefined) faults.push(...optimizerFaults(config.optimizer, config.momentum));
  if (config.control !== undefined) {
    const { learningRate, optimizer } = config;
    const run = { learningRate, batchSize, accumulate, examples: data.examples, optimizer: optimizer?.kind ?? "sgd" };
    faults.push(...controlFaults(config.control, run));
  }
  const most = `expected at most data.examples = ${data.examples}`;
  if (batchSize > data.examples) faults.push({ path: ["batchSize"], message: `${most}, got ${batchSize}` });
  if (probes.examples > data.examples) {
    faults.push({ path: ["probes", "examples"], message: `${most}, got ${probes.examples}` });
  }
  if (batchSize % accumulate !== 0) {
    faults.push({
      path: ["accumulate"],
      message: `expected a number that divides batchSize = ${batchSize}, got ${accumulate}`,
    });
  }
  if (labelSmoothing !== undefined && config.loss !== "cross-entropy") {
    faults.push({
      path: ["labelSmoothing"],
      message: `expected only with loss cross-entropy, got it with ${config.loss}`,
    });
  }
  return faults;
}

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
  if (parsed.success) return { ...parsed.data, model: completeModel(parsed.data.model) };
  const issues = describeIssues(parsed.error, trainConfigSchema).join("; ");
  throw new BadInput(source === undefined ? issues : `${source}: ${issues}`);
}
