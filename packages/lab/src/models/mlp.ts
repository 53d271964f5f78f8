import type { Value } from "@sedge/autodiff";
import { activate, type Activation } from "./activation.js";
import { buildModel } from "./build-model.js";
import type { DenseLayers } from "./layers.js";
import type { Model } from "./model.js";
import { stackedParts } from "./stacked.js";
import type { ParameterizationOptions } from "./parameterization.js";

export type { Activation } from "./activation.js";

export interface MlpOptions extends ParameterizationOptions {
  /** Numbers in one input. */
  readonly inputs: number;
  /** Widths of the hidden layers, first to last; empty for a linear model. */
  readonly widths: readonly number[];
  /** C. */
  readonly outputs: number;
  /** After every layer but the last. Default tanh. `gelu` is the exact one, x·Φ(x). */
  readonly activation?: Activation;
  /** Width at which `mup` equals `standard`. Default 128. */
  readonly baseWidth?: number;
}

/**
 * A fully connected network f(x) = φ(…φ(x·W1 + b1)…)·WL + bL with parameters `W1` [in, out], `b1` [out], and so on.
 *
 * Initialisation (LeCun normal): weights N(0, 1/in), biases 0, whatever the activation. Pre-activations of the first
 * layer then have the variance of a standardised input, 1, and tanh keeps the next layers' below it. Other
 * parameterisations: `parameterization.ts`.
 *
 * @throws RangeError if a size is not a positive integer.
 */
export function mlp({
  inputs,
  widths,
  outputs,
  activation = "tanh",
  baseWidth = 128,
  ...parameterization
}: MlpOptions): Model {
  const sizes = [inputs, ...widths, outputs];
  for (const size of [...sizes, baseWidth]) {
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(`mlp: expected sizes of whole numbers, at least 1, got ${sizes.join("-")}.`);
    }
  }
  /** Ratio of layer l's output; the data set those of the first and the last. */
  const ratioOf = (layer: number) => (layer === 0 || layer === sizes.length - 1 ? 1 : sizes[layer]! / baseWidth);

  const build = (layers: DenseLayers, x: Value) =>
    sizes.slice(1).reduce((value, width, i) => {
      const last = i === sizes.length - 2;
      const ratio = { in: ratioOf(i), out: ratioOf(i + 1) };
      const names = { weight: `W${i + 1}`, bias: `b${i + 1}` };
      const dense = layers.dense(`dense${i + 1}`, value, width, { ratio, last }, names);
      return last ? dense : activate(layers.b, activation, dense);
    }, x);
  const model = buildModel({
    name: "mlp",
    description: `mlp ${sizes.join("-")}, ${activation}`,
    inputShape: [inputs],
    outputs,
    parameterization,
    build,
  });
  return { ...model, stacked: stackedParts(build, parameterization) };
}
