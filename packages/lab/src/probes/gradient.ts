import { openGradient } from "../curvature/neighbours/gradient.js";
import { cosine, length } from "../curvature/neighbours/vectors.js";
import type { Probe, ProbeMemory } from "./probe.js";

/**
 * Records `gradient/norm` of the whole training set, `gradient/alignment`, its cosine with the gradient at the measurement
 * before, and, where λ_max was measured at the same step, `gradient/topAlignment`, the cosine with its eigenvector in size.
 */
export function gradientProbe(): Probe {
  return {
    name: "gradient",
    async open({ model, objective, dataset, threads, memory }) {
      const estimator = await openGradient(objective, model.params, { threads });
      let before = memory?.["gradient"];
      return {
        get memory(): ProbeMemory {
          return before ? { gradient: before } : {};
        },
        async observe({ params, signal, findings }) {
          const { gradient } = await estimator.measure(params, dataset.train, { signal });
          const top = findings?.get("sharpness/vector");
          const values = {
            "gradient/norm": length(gradient),
            ...(before && { "gradient/alignment": cosine(gradient, before) }),
            ...(top && { "gradient/topAlignment": Math.abs(cosine(gradient, top)) }),
          };
          before = gradient;
          return values;
        },
        close: () => estimator.dispose(),
      };
    },
  };
}
