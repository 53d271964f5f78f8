import { z } from "zod";

/** How the learning rate changes over a run; `learningRate` is its largest value. Formulas: training/schedule.ts. */
export const scheduleSchema = z.strictObject({
  kind: z
    .enum(["constant", "linear", "cosine", "step", "wsd"])
    .default("constant")
    .describe("After the warmup; wsd: stable, then a linear decay over the last schedule.decay steps"),
  warmup: z.int().min(0).default(0).describe("Steps of linear warmup, before any kind"),
  final: z.number().min(0).max(1).optional().describe("linear, cosine, wsd: η at the end over learningRate. Default 0"),
  every: z.int().min(1).optional().describe("step: steps between two drops; needed there"),
  factor: z.number().positive().max(1).optional().describe("step: η after a drop over before. Default 0.1"),
  decay: z.int().min(1).optional().describe("wsd: steps of the decay at the end; needed there"),
});

export type ScheduleConfig = z.output<typeof scheduleSchema>;

const settings: Readonly<Record<ScheduleConfig["kind"], readonly string[]>> = {
  constant: [],
  linear: ["final"],
  cosine: ["final"],
  step: ["every", "factor"],
  wsd: ["final", "decay"],
};

/** What of a schedule does not fit its kind, or the run's length: key and message. */
export function scheduleFaults(
  schedule: ScheduleConfig,
  steps: number,
): { readonly path: string[]; readonly message: string }[] {
  const { kind, warmup, ...given } = schedule;
  const fault = (key: string, message: string) => ({ path: ["schedule", key], message });
  const faults = Object.entries(given)
    .filter(([key, value]) => value !== undefined && !settings[kind].includes(key))
    .map(([key]) => {
      const owners = Object.entries(settings).filter(([, keys]) => keys.includes(key));
      return fault(
        key,
        `expected only with schedule.kind ${owners.map(([owner]) => owner).join(" or ")}, got it with ${kind}`,
      );
    });
  if (kind === "step" && given.every === undefined)
    faults.push(fault("every", "expected a number of steps, got nothing"));
  if (kind === "wsd" && given.decay === undefined)
    faults.push(fault("decay", "expected a number of steps, got nothing"));
  const taken = warmup + (given.decay ?? 0);
  if (taken > steps) {
    const what = given.decay === undefined ? "schedule.warmup" : "schedule.warmup + schedule.decay";
    faults.push(fault("warmup", `expected ${what} of at most steps = ${steps}, got ${taken}`));
  }
  return faults;
}
