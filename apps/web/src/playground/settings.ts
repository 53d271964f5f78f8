import type { ExperimentSettings, ModelKind } from "./training/messages.js";

/** What the sliders reach. η in steps of equal ratio, B in powers of two. */
export const ranges: Readonly<Record<ModelKind, { readonly low: number; readonly high: number }>> = {
  mlp: { low: 1e-3, high: 1 },
  linear: { low: 1e-5, high: 1e-1 },
};
/** Places of the η slider for each factor of ten. */
export const placesPerDecade = 40;
/** Of those, the largest below the 1000 training images. */
export const largestBatch = 512;

/** The MLP comes from beyond both edges and settles on the stochastic one; the linear model starts just inside it. */
export const defaults: Readonly<Record<ModelKind, ExperimentSettings>> = {
  mlp: { model: "mlp", seed: 0, learningRate: 0.03, batchSize: 1 },
  linear: { model: "linear", seed: 0, learningRate: 5e-4, batchSize: 1 },
};

export const placeOf = (learningRate: number, low: number): number =>
  Math.round(placesPerDecade * Math.log10(learningRate / low));

/** The learning rate at a place of the slider, to three digits: what the page shows is what it trains with. */
export const rateAt = (place: number, low: number): number =>
  Number((low * 10 ** (place / placesPerDecade)).toPrecision(3));

/** Settings out of an address; whatever it does not say, or says wrongly, is the default. */
export function fromQuery(query: string): ExperimentSettings {
  const params = new URLSearchParams(query);
  const base = defaults[params.get("model") === "linear" ? "linear" : "mlp"];
  const { low, high } = ranges[base.model];
  const number = (name: string, fits: (value: number) => boolean, otherwise: number) => {
    const value = Number(params.get(name) ?? NaN);
    return fits(value) ? value : otherwise;
  };
  return {
    model: base.model,
    seed: number("seed", (x) => Number.isInteger(x) && x >= 0 && x < 2 ** 31, base.seed),
    learningRate: number("learningRate", (x) => x >= low && x <= high, base.learningRate),
    batchSize: number(
      "batchSize",
      (x) => x >= 1 && x <= largestBatch && Number.isInteger(Math.log2(x)),
      base.batchSize,
    ),
  };
}

export function toQuery({ model, seed, learningRate, batchSize }: ExperimentSettings): string {
  return `?${new URLSearchParams(Object.entries({ model, seed, learningRate, batchSize }).map(([k, v]) => [k, String(v)])).toString()}`;
}
