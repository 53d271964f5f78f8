import { graph, type Builder, type Value } from "@sedge/autodiff";
import { normalWeights } from "./initialisation.js";
import { sizeOf, type Model, type ParamSpec } from "./model.js";

export type Activation = "tanh" | "erf" | "gelu" | "relu";

export interface MlpOptions {
  /** Numbers in one input. */
  readonly inputs: number;
  /** Widths of the hidden layers, first to last; empty for a linear model. */
  readonly widths: readonly number[];
  /** C. */
  readonly outputs: number;
  /** After every layer but the last. Default tanh. `gelu` is the exact one, x·Φ(x). */
  readonly activation?: Activation;
}

/**
 * A fully connected network f(x) = φ(…φ(x·W1 + b1)…)·WL + bL with parameters `W1` [in, out], `b1` [out], and so on.
 *
 * Initialisation (LeCun normal): weights N(0, 1/in), biases 0, whatever the activation. Pre-activations of the first
 * layer then have the variance of a standardised input, 1, and tanh keeps the next layers' below it.
 *
 * @throws RangeError if a size is not a positive integer.
 */
export function mlp({ inputs, widths, outputs, activation = "tanh" }: MlpOptions): Model {
  const sizes = [inputs, ...widths, outputs];
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(`mlp: expected sizes of whole numbers, at least 1, got ${sizes.join("-")}.`);
    }
  }
  const layers = sizes.slice(1).map((out, i) => ({
    weight: { name: `W${i + 1}`, shape: [sizes[i]!, out] },
    bias: { name: `b${i + 1}`, shape: [out] },
  }));
  const params: ParamSpec[] = layers.flatMap(({ weight, bias }) => [weight, bias]);

  return {
    description: `mlp ${sizes.join("-")}, ${activation}`,
    inputShape: [inputs],
    outputs,
    params,
    paramCount: params.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    graph: graph(
      (b) => {
        let value = b.input("x", ["batch", inputs]);
        layers.forEach(({ weight, bias }, i) => {
          const w = b.input(weight.name, weight.shape);
          const c = b.input(bias.name, bias.shape);
          const last = i === layers.length - 1;
          value = b.scope(`dense${i + 1}`, () => {
            const dense = b.dense(value, w, c);
            return last ? dense : activate(b, activation, dense);
          });
        });
        return { output: value };
      },
      { name: "mlp" },
    ),
    initialise: (random) =>
      Object.fromEntries(
        params.map(({ name, shape }) => [
          name,
          shape.length === 1 ? new Float32Array(sizeOf(shape)) : normalWeights(random.fork(name), shape),
        ]),
      ),
  };
}

function activate(b: Builder, activation: Activation, value: Value): Value {
  switch (activation) {
    case "tanh":
      return b.tanh(value);
    case "erf":
      return b.erf(value);
    case "gelu":
      return b.gelu(value);
    case "relu":
      return b.relu(value);
  }
}
