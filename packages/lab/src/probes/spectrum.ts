import { deterministicLimit } from "@sedge/theory";
import { openHessian } from "../curvature/curvature-operator.js";
import { spectralDensity } from "../curvature/spectral-density.js";
import { spectralQuadrature, traceOfFunction } from "../curvature/spectral-quadrature.js";
import type { SpectrumRecordData } from "../run/records.js";
import type { Probe } from "./probe.js";

/** Random vectors, and products with each: enough for the bulk's shape, and for the outliers to stand alone. */
const vectors = 4;
const iterations = 40;
const points = 300;

/**
 * Records the density of the spectrum of the Hessian over the whole training set, kind `spectrum/hessian`, with
 * `spectrum/lambdaMin` and `spectrum/negative`.
 */
export function spectrumProbe(): Probe {
  return {
    name: "spectrum",
    async open({ model, objective, dataset: { train }, optimizer, random, threads }) {
      const hessian = await openHessian(objective, model.params, { threads });
      return {
        async observe({ step, params, learningRate, signal, record }) {
          const at = await hessian.at(params, train);
          const options = {
            probes: vectors,
            iterations: Math.min(iterations, at.size),
            random: random.fork(step),
            signal,
          };
          const quadrature = await spectralQuadrature(at, options);
          const lambdaMin = Math.min(...quadrature.probes.map(({ nodes }) => nodes[0]!));
          const lambdaMax = Math.max(...quadrature.probes.map(({ nodes }) => nodes.at(-1)!));
          const negative = traceOfFunction(quadrature, (x) => Math.max(0, -x)).value;
          const all = traceOfFunction(quadrature, Math.abs).value;
          const data: SpectrumRecordData = {
            matrix: "hessian",
            ...spectralDensity(quadrature, { points }),
            lambdaMin,
            lambdaMax,
            edge: optimizer.kind === "sgd" ? deterministicLimit(optimizer) / learningRate - optimizer.weightDecay : NaN,
            products: quadrature.products,
          };
          record?.({ kind: "spectrum/hessian", data: { ...data } });
          return { "spectrum/lambdaMin": lambdaMin, "spectrum/negative": negative / all };
        },
        close: () => hessian.dispose(),
      };
    },
  };
}
