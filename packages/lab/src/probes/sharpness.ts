import type { Random } from "@sedge/linalg";
import { deterministicLimit } from "@sedge/theory";
import { openHessian } from "../curvature/curvature-operator.js";
import { currentOptimizer, optimizerDynamics } from "../curvature/optimizer-dynamics.js";
import { preconditioned } from "../curvature/preconditioned.js";
import { topEigenpairs } from "../curvature/top-eigenpairs.js";
import type { Params } from "../models/model.js";
import type { Probe, ProbeMemory } from "./probe.js";

export interface SharpnessProbeOptions {
  /** Largest ‖Hv − λv‖ relative to λ_max. Default 1e-3: the value's error is far smaller. */
  readonly tolerance?: number;
  /** Most Hessian-vector products of one measurement. Default 100. */
  readonly maxIterations?: number;
}

/**
 * Records `sharpness`, λ_max of the Hessian over the whole training set, with `sharpness/ritzResidual`, and `edge/deterministic`,
 * 1 on the deterministic edge of the run's own optimiser: η(λ_max + δ)/(2(1 + m)), times 1 + 2m with Nesterov's momentum. With
 * Adam and RMSProp it is of λ_max of D^{-1/2} H D^{-1/2}, D the preconditioner as it is, and NaN before the first update. Each
 * measurement starts from the eigenvectors of the one before.
 */
export function sharpnessProbe({ tolerance = 1e-3, maxIterations = 100 }: SharpnessProbeOptions = {}): Probe {
  return {
    name: "sharpness",
    async open({ model, objective, dataset, optimizer, random, threads, memory }) {
      const hessian = await openHessian(objective, model.params, { threads });
      const remembered = new Map(Object.entries(memory ?? {}));
      return {
        get memory(): ProbeMemory {
          return Object.fromEntries(remembered);
        },
        async observe({ step, params, carried, learningRate, signal, findings }) {
          const operator = await hessian.at(params, dataset.train);
          const largest = async (name: string, preconditioner: Params | null, source: Random) => {
            const start = remembered.get(name);
            const { values, vectors, ritzResiduals } = await topEigenpairs(
              preconditioned(operator, model.params, preconditioner),
              { random: source, ...(start && { start: [start] }), tolerance, maxProducts: maxIterations, signal },
            );
            remembered.set(name, vectors[0]!);
            return { value: values[0]!, ritzResidual: ritzResiduals[0]!, vector: vectors[0]! };
          };
          const top = await largest("vector", null, random.fork(step));
          findings?.set("sharpness/vector", top.vector);
          const measured = { sharpness: top.value, "sharpness/ritzResidual": top.ritzResidual };

          const current = currentOptimizer(optimizer, learningRate, step, carried);
          if (current === null) return { ...measured, "edge/deterministic": NaN };
          const { preconditioner, learningRate: rate, weightDecay, ...momentum } = optimizerDynamics(current);
          const { value } =
            preconditioner === null
              ? top
              : await largest("preconditioned", preconditioner, random.fork(step).fork("preconditioned"));
          return { ...measured, "edge/deterministic": (rate * (value + weightDecay)) / deterministicLimit(momentum) };
        },
        close: () => hessian.dispose(),
      };
    },
  };
}
