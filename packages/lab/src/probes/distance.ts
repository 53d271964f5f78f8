import { distance } from "../curvature/neighbours/vectors.js";
import { flattenParams } from "../models/model.js";
import type { Probe, ProbeMemory } from "./probe.js";

/** Records how far the parameters are from where they began, `distance/initial`, and from the last measurement, `distance/step`. */
export function distanceProbe(): Probe {
  return {
    name: "distance",
    open({ model, memory }) {
      // The first measurement of a run is before its first step.
      let initial = memory?.["initial"];
      let last = memory?.["last"];
      return Promise.resolve({
        get memory(): ProbeMemory {
          return initial && last ? { initial, last } : {};
        },
        observe({ params }) {
          const here = Float64Array.from(flattenParams(model.params, params));
          initial ??= here;
          const values = { "distance/initial": distance(here, initial), "distance/step": distance(here, last ?? here) };
          last = here;
          return Promise.resolve(values);
        },
        close: () => Promise.resolve(),
      });
    },
  };
}
