import { z } from "zod";
import { describeIssues } from "../config/describe-issues.js";
import { BadInput } from "../errors.js";

const count = () => z.int().min(1);
const settings = () => z.record(z.string(), z.unknown());

const slurmSchema = z
  .strictObject({
    partition: z.string().min(1).optional().describe("Default the cluster's own"),
    time: z.string().min(1).optional().describe("Longest that a task may take, as sbatch takes it: 2:00:00"),
    memory: z.string().min(1).optional().describe("Of a task, as sbatch takes it: 4G"),
    cpus: count().optional().describe("Cores of a task. Default the threads of its runs"),
    options: z.array(z.string().startsWith("--")).optional().describe("Further options of sbatch, each as one text"),
  })
  .describe("What a Slurm task asks for");

/** A sweep as written in a YAML or JSON file; an unknown key is an error. */
export const sweepConfigSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/, {
        error: ({ input }) =>
          `expected 1 to 50 letters, digits, ".", "_" or "-", the first a letter or digit, got ${JSON.stringify(input)}`,
      })
      .describe("Of the sweep; its runs carry the tag sweep:NAME"),
    base: z
      .union([z.string().min(1), settings()])
      .default({})
      .describe("Settings of every run: keys, a file or a preset"),
    grid: z
      .record(z.string(), z.array(z.unknown()).min(1))
      .optional()
      .describe("Key: values. Every combination is a run; dots reach into objects: model.widths"),
    runs: z.array(settings()).min(1).optional().describe("Settings of single runs, each combined with the grid"),
    threads: count().max(256).optional().describe("Of every run, unless its own settings say otherwise"),
    vectorise: z.boolean().default(true).describe("Whether runs of one shape train in one graph"),
    workers: count().max(1024).optional().describe("Processes on this machine. Default as many as cores"),
    runsPerTask: count().optional().describe("Runs of one Slurm task. Default so that there are about 100 tasks"),
    slurm: slurmSchema.optional(),
  })
  .superRefine(({ grid, runs }, context) => {
    if (grid !== undefined || runs !== undefined) return;
    context.addIssue({ code: "custom", path: ["grid"], message: "expected grid or runs, or both, got neither" });
  });

export type SweepConfig = z.output<typeof sweepConfigSchema>;
export type SweepConfigInput = z.input<typeof sweepConfigSchema>;

/**
 * A sweep's config with its defaults, from plain data. Its runs are checked by `planSweep`.
 *
 * @param source  Where it came from, put before the message: a file name.
 * @throws BadInput with one clause for each fault: key, what is allowed, what was given.
 */
export function parseSweepConfig(value: unknown, source?: string): SweepConfig {
  const parsed = sweepConfigSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const issues = describeIssues(parsed.error, sweepConfigSchema).join("; ");
  throw new BadInput(source === undefined ? issues : `${source}: ${issues}`);
}
