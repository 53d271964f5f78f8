import { openGradientNoiseScale } from "../curvature/neighbours/gradient-noise-scale.js";
import type { Probe } from "./probe.js";

/**
 * Records `gradientNoiseScale`, the critical batch size tr Σ/‖g‖², with `gradientNoiseScale/standardError` and
 * `gradientNoiseScale/covarianceTrace`, tr Σ.
 */
export function gradientNoiseScaleProbe(): Probe {
  return {
    name: "gradientNoiseScale",
    async open({ model, objective, dataset: { train }, random, threads }) {
      const estimator = await openGradientNoiseScale(objective, model.params, { threads });
      return {
        async observe({ step, params, signal }) {
          const { noiseScale, covarianceTrace } = await estimator.measure(params, train, {
            random: random.fork(step),
            signal,
          });
          return {
            gradientNoiseScale: noiseScale.value,
            "gradientNoiseScale/standardError": noiseScale.standardError,
            "gradientNoiseScale/covarianceTrace": covarianceTrace.value,
          };
        },
        close: () => estimator.dispose(),
      };
    },
  };
}
