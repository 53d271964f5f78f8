import { openHessian } from "../curvature/curvature-operator.js";
import { hutchinson } from "../curvature/trace.js";
import type { Probe } from "./probe.js";

/** Records `trace/hessian`, the trace of the Hessian over the whole training set, with `trace/hessian/standardError`. */
export function traceProbe(): Probe {
  return {
    name: "trace",
    async open({ model, objective, dataset: { train }, random, threads }) {
      const hessian = await openHessian(objective, model.params, { threads });
      return {
        async observe({ step, params, signal }) {
          const at = await hessian.at(params, train);
          const { value, standardError } = await hutchinson(at, { random: random.fork(step), signal });
          return { "trace/hessian": value, "trace/hessian/standardError": standardError };
        },
        close: () => hessian.dispose(),
      };
    },
  };
}
