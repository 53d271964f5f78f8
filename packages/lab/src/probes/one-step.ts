import { openHessian } from "../curvature/curvature-operator.js";
import { openGradient } from "../curvature/neighbours/gradient.js";
import { openOneStep } from "../curvature/neighbours/one-step.js";
import type { Probe } from "./probe.js";

/**
 * Records what a step of full-batch gradient descent with the run's η would do to the training loss: `oneStep/measured`,
 * and `oneStep/predicted` to second order.
 */
export function oneStepProbe(): Probe {
  return {
    name: "oneStep",
    async open({ model, objective, dataset: { train }, threads }) {
      const options = { threads };
      const gradients = await openGradient(objective, model.params, options);
      const hessian = await openHessian(objective, model.params, options);
      const estimator = await openOneStep(objective, model.params, options);
      return {
        async observe({ params, learningRate, signal }) {
          const { gradient } = await gradients.measure(params, train, { signal });
          const at = await hessian.at(params, train);
          const change = { params, split: train, learningRate, gradient, hessian: at, signal };
          const { measured, predicted } = await estimator.measure(change);
          return { "oneStep/measured": measured, "oneStep/predicted": predicted };
        },
        async close() {
          await Promise.all([gradients.dispose(), hessian.dispose(), estimator.dispose()]);
        },
      };
    },
  };
}
