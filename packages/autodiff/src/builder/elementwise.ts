import type { Value } from "../ir/graph.js";
import type { DataType } from "../ir/tensor.js";
import { onnxTypes } from "../onnx/types.js";
import { CoreBuilder, type Operand } from "./core.js";

/** Elementwise ops. A number stands for a scalar of the other operand's type; shapes broadcast as in ONNX. */
export abstract class ElementwiseBuilder extends CoreBuilder {
  /** a + b */
  add(a: Operand, b: Operand): Value {
    return this.binary("Add", a, b);
  }

  sub(a: Operand, b: Operand): Value {
    return this.binary("Sub", a, b);
  }

  mul(a: Operand, b: Operand): Value {
    return this.binary("Mul", a, b);
  }

  div(a: Operand, b: Operand): Value {
    return this.binary("Div", a, b);
  }

  pow(a: Operand, b: Operand): Value {
    return this.binary("Pow", a, b);
  }

  min(a: Operand, b: Operand): Value {
    return this.binary("Min", a, b);
  }

  max(a: Operand, b: Operand): Value {
    return this.binary("Max", a, b);
  }

  equal(a: Operand, b: Operand): Value {
    return this.binary("Equal", a, b);
  }

  less(a: Operand, b: Operand): Value {
    return this.binary("Less", a, b);
  }

  greater(a: Operand, b: Operand): Value {
    return this.binary("Greater", a, b);
  }

  lessOrEqual(a: Operand, b: Operand): Value {
    return this.binary("LessOrEqual", a, b);
  }

  greaterOrEqual(a: Operand, b: Operand): Value {
    return this.binary("GreaterOrEqual", a, b);
  }

  neg(x: Value): Value {
    return this.node("Neg", [x]);
  }

  sqrt(x: Value): Value {
    return this.node("Sqrt", [x]);
  }

  exp(x: Value): Value {
    return this.node("Exp", [x]);
  }

  log(x: Value): Value {
    return this.node("Log", [x]);
  }

  abs(x: Value): Value {
    return this.node("Abs", [x]);
  }

  sign(x: Value): Value {
    return this.node("Sign", [x]);
  }

  reciprocal(x: Value): Value {
    return this.node("Reciprocal", [x]);
  }

  sin(x: Value): Value {
    return this.node("Sin", [x]);
  }

  cos(x: Value): Value {
    return this.node("Cos", [x]);
  }

  tanh(x: Value): Value {
    return this.node("Tanh", [x]);
  }

  sigmoid(x: Value): Value {
    return this.node("Sigmoid", [x]);
  }

  erf(x: Value): Value {
    return this.node("Erf", [x]);
  }

  relu(x: Value): Value {
    return this.node("Relu", [x]);
  }

  selu(x: Value): Value {
    return this.node("Selu", [x]);
  }

  softplus(x: Value): Value {
    return this.node("Softplus", [x]);
  }

  softsign(x: Value): Value {
    return this.node("Softsign", [x]);
  }

  hardSwish(x: Value): Value {
    return this.node("HardSwish", [x]);
  }

  mish(x: Value): Value {
    return this.node("Mish", [x]);
  }

  leakyRelu(x: Value, alpha = 0.01): Value {
    return this.node("LeakyRelu", [x], { alpha });
  }

  elu(x: Value, alpha = 1): Value {
    return this.node("Elu", [x], { alpha });
  }

  hardSigmoid(x: Value, { alpha = 0.2, beta = 0.5 } = {}): Value {
    return this.node("HardSigmoid", [x], { alpha, beta });
  }

  /** x·Φ(x), Φ the normal distribution; `approximate: "tanh"` is the cheaper form of GPT-2. */
  gelu(x: Value, { approximate = "none" }: { approximate?: "none" | "tanh" } = {}): Value {
    return this.node("Gelu", [x], { approximate });
  }

  /** x limited to [low, high]. */
  clip(x: Value, low: Operand | null, high: Operand | null): Value {
    const bound = (value: Operand | null): Value | null => (value === null ? null : this.operand(value, x));
    return this.node("Clip", [x, bound(low), bound(high)]);
  }

  /** a where the condition holds, else b. `type` is that of the numbers when both are. */
  where(condition: Value, a: Operand, b: Operand, type: DataType = "float32"): Value {
    const like = typeof a !== "number" ? a : typeof b !== "number" ? b : this.constant(0, { type });
    return this.node("Where", [condition, this.operand(a, like), this.operand(b, like)]);
  }

  cast(x: Value, type: DataType): Value {
    return this.node("Cast", [x], { to: onnxTypes.numberOf(type) });
  }

  private binary(op: string, a: Operand, b: Operand): Value {
    return this.node(op, [this.operand(a, b), this.operand(b, a)]);
  }
}
