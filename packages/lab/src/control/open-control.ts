import type { Random } from "@sedge/linalg";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { TrainConfig } from "../config/train-config.js";
import type { ProbeContext } from "../probes/probe.js";
import type { ResizableStream } from "../sampling/resizable-stream.js";
import { controlPlan, decisionEvery, decisionSteps } from "./controller.js";
import { longestRest, measurementSteps } from "./cost.js";
import { openInstrument } from "./reading.js";
import { runControl, type RunControl } from "./run-control.js";

/** The plan of a run's controller; null for a run without one. */
export function controlPlanOf(config: TrainConfig) {
  const { control, learningRate, batchSize, steps, accumulate = 1, data } = config;
  if (control === undefined || control.kind === "none") return null;
  return controlPlan(
    { ...control, kind: control.kind },
    { learningRate, batchSize, accumulate, examples: data.examples, steps },
  );
}

/** Opens the controller that a config switches on; undefined where it switches none on. */
export async function openControl(
  config: TrainConfig,
  given: {
    readonly context: Omit<ProbeContext, "random" | "memory">;
    readonly seed: Random;
    readonly minibatches: ResizableStream;
    readonly resumed: Checkpoint | undefined;
  },
): Promise<RunControl | undefined> {
  const plan = controlPlanOf(config);
  if (plan === null) return undefined;
  const { context, seed, minibatches, resumed } = given;
  const { control, learningRate, schedule, steps } = config;
  const probeExamples = control!.examples;
  const random = seed.fork("control");
  const memory = resumed?.probes["control"];
  const instrument = await openInstrument({ ...context, kind: plan.kind, probeExamples, random, memory });
  return runControl({
    ...{ plan, instrument, minibatches, regularFrom: decisionEvery(control!, steps) },
    longestRest: longestRest(
      measurementSteps(plan.kind, context.model, { examples: probeExamples, batchSize: plan.batchSize }),
      decisionEvery(control!, steps),
      control!.budget,
    ),
    schedule: { learningRate, steps, schedule },
    steps: decisionSteps(control!, steps),
    resume: resumed?.control && { memory: resumed.control, snapshot: resumed.snapshot ?? {} },
  });
}
