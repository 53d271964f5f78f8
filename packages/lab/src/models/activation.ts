import type { Builder, Value } from "@sedge/autodiff";

export const activations = ["tanh", "erf", "gelu", "relu", "silu", "identity"] as const;

/** `gelu` is the exact one, x·Φ(x); `silu` is x·σ(x). */
export type Activation = (typeof activations)[number];

export function activate(b: Builder, activation: Activation, value: Value): Value {
  switch (activation) {
    case "tanh":
      return b.tanh(value);
    case "erf":
      return b.erf(value);
    case "gelu":
      return b.gelu(value);
    case "relu":
      return b.relu(value);
    case "silu":
      return b.mul(value, b.sigmoid(value));
    case "identity":
      return value;
  }
}
