import { z } from "zod";

export const controlKinds = ["none", "noise-kernel", "noise-kernel-batch", "warmup", "sharpness"] as const;

/** Who changes η and B while a run trains. Laws: control/laws.ts; what keeps them in bounds: control/decide.ts. */
export const controlSchema = z.strictObject({
  kind: z
    .enum(controlKinds)
    .default("none")
    .describe(
      "noise-kernel: η tracks a K; noise-kernel-batch: B grows to hold it; warmup: η rises to learningRate only as fast as K " +
        "allows; sharpness: η = σ·2/λ_max. A schedule shapes what is aimed for",
    ),
  targetNoiseKernel: z.number().positive().max(4).default(0.5).describe("K exact to aim for; 1 is the stochastic edge"),
  deterministicCap: z
    .number()
    .positive()
    .max(1)
    .default(0.9)
    .describe("Most of the deterministic edge: η λ_max ≤ this × 2(1 + m). In sharpness this is σ"),
  every: z
    .int()
    .min(1)
    .optional()
    .describe("Steps between decisions, more often at the start. A settled run sits some out. Default a 50th of steps"),
  budget: z
    .number()
    .positive()
    .max(1)
    .default(0.1)
    .describe(
      "Share of the run's work for the controller's measurements once the run is settled (before that some four times it), estimated from sizes alone; at least " +
        "every 16th decision is measured",
    ),
  examples: z.int().min(4).default(32).describe("n, training examples on which the controller measures K by itself"),
  rise: z.number().gt(1).max(10).default(1.5).describe("Most that a decision multiplies η or B by"),
  minimumLearningRate: z.number().positive().optional().describe("Default a thousandth of learningRate"),
  maximumLearningRate: z.number().positive().optional().describe("Default a thousand times learningRate"),
  maximumBatchSize: z.int().min(1).optional().describe("noise-kernel-batch: default data.examples"),
});

export type ControlConfig = z.output<typeof controlSchema>;
export type ControlKind = Exclude<ControlConfig["kind"], "none">;

/** What of a controller does not fit the run: key and message. */
export function controlFaults(
  control: ControlConfig,
  run: {
    readonly learningRate: number;
    readonly batchSize: number;
    readonly accumulate: number;
    readonly examples: number;
    readonly optimizer: string;
  },
): { readonly path: string[]; readonly message: string }[] {
  const { kind, minimumLearningRate, maximumLearningRate, maximumBatchSize, examples } = control;
  if (kind === "none") return [];
  const faults: { path: string[]; message: string }[] = [];
  const fault = (key: string, message: string) => void faults.push({ path: ["control", key], message });
  if (examples > run.examples) fault("examples", `expected at most data.examples = ${run.examples}, got ${examples}`);
  if (minimumLearningRate !== undefined && minimumLearningRate > run.learningRate) {
    fault("minimumLearningRate", `expected at most learningRate = ${run.learningRate}, got ${minimumLearningRate}`);
  }
  if (maximumLearningRate !== undefined && maximumLearningRate < run.learningRate) {
    fault("maximumLearningRate", `expected at least learningRate = ${run.learningRate}, got ${maximumLearningRate}`);
  }
  if (maximumBatchSize !== undefined) {
    const wanted = `expected a multiple of accumulate from batchSize = ${run.batchSize} to data.examples = ${run.examples}`;
    const fits = maximumBatchSize >= run.batchSize && maximumBatchSize <= run.examples;
    if (!fits || maximumBatchSize % run.accumulate !== 0) {
      fault("maximumBatchSize", `${wanted}, got ${maximumBatchSize}`);
    }
  }
  if (kind === "sharpness" && run.optimizer !== "sgd") {
    fault("kind", `expected sharpness only with optimizer.kind sgd, got it with ${run.optimizer}`);
  }
  return faults;
}
