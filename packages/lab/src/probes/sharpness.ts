import { openHessian } from "../curvature/curvature-operator.js";
import { sharpness } from "../curvature/sharpness.js";
import type { Probe, ProbeMemory } from "./probe.js";

export interface SharpnessProbeOptions {
  /** Largest ‖Hv − λv‖ relative to λ_max. Default 1e-3: the value's error is far smaller. */
  readonly tolerance?: number;
  /** Most Hessian-vector products of one measurement. Default 100. */
  readonly maxIterations?: number;
}

/**
 * Records `sharpness`, λ_max of the Hessian over the whole training set, with `sharpness/ritzResidual`, and
 * `edge/deterministic` = η(λ_max + δ)/(2(1 + m)). Each measurement starts from the eigenvector of the one before.
 */
export function sharpnessProbe({ tolerance, maxIterations }: SharpnessProbeOptions = {}): Probe {
  return {
    name: "sharpness",
    async open({ model, objective, dataset, sgd, random, threads, memory }) {
      const { momentum = 0, weightDecay = 0 } = sgd;
      const hessian = await openHessian(objective, model.params, { threads });
      let start = memory?.["vector"];
      return {
        get memory(): ProbeMemory {
          return start ? { vector: start } : {};
        },
        async observe({ step, params, learningRate, signal, findings }) {
          const top = await sharpness(hessian, params, dataset.train, {
            random: random.fork(step),
            ...(start && { start }),
            ...(tolerance !== undefined && { tolerance }),
            ...(maxIterations !== undefined && { maxIterations }),
            signal,
          });
          start = top.vector;
          findings?.set("sharpness/vector", top.vector);
          return {
            sharpness: top.value,
            "sharpness/ritzResidual": top.ritzResidual,
            "edge/deterministic": (learningRate * (top.value + weightDecay)) / (2 * (1 + momentum)),
          };
        },
        close: () => hessian.dispose(),
      };
    },
  };
}
