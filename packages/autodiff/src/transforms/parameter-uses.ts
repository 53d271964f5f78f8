/** Where a graph uses its parameters: which layer, with which input activations, and what comes out. */
import { sameShape, type Dim } from "../ir/dims.js";
import type { Attributes, Graph, Node, Value } from "../ir/graph.js";
import { nodesBetween } from "../ir/traverse.js";
import { inputsOf, outputOf } from "./graphs.js";

/**
 * One use of a parameter. `output` is the value the layer makes (before the activation function), so with its cotangent D:
 * - dense        output = input·W (+ …), W [in, out], or [out, in] where `transposed`:  W̄ = inputᵀ·D
 * - bias         output = … + b, b broadcast along leading axes:  b̄ = Σ D
 * - channelBias  output = … + b, b of the channels, axis 1:  b̄ = Σ D over the other axes
 * - scale        output = input ∘ g, g broadcast along leading axes:  ḡ = Σ input ∘ D
 * - convolution  output = Conv(input, W), `attributes` those of the ONNX op
 * - embedding    output = W[indices], along axis 0
 * - other        anything else; `node` is the one that takes the parameter
 */
export type ParameterUse =
  | {
      readonly kind: "dense";
      readonly param: string;
      readonly transposed: boolean;
      readonly input: Value;
      readonly output: Value;
    }
  | { readonly kind: "bias"; readonly param: string; readonly output: Value }
  | { readonly kind: "channelBias"; readonly param: string; readonly output: Value }
  | { readonly kind: "scale"; readonly param: string; readonly input: Value; readonly output: Value }
  | {
      readonly kind: "convolution";
      readonly param: string;
      readonly attributes: Attributes;
      readonly input: Value;
      readonly output: Value;
    }
  | { readonly kind: "embedding"; readonly param: string; readonly indices: Value; readonly output: Value }
  | { readonly kind: "other"; readonly param: string; readonly op: string; readonly node: string };

export interface ParameterUsesOptions {
  /** The output whose dependence is looked at. */
  readonly of: string;
  /** Inputs that are parameters. */
  readonly params: readonly string[];
}

/** All uses, in the order of `params`, then of computation. A parameter that `of` does not depend on has none. */
export function parameterUses(graph: Graph, { of, params }: ParameterUsesOptions): ParameterUse[] {
  const output = outputOf("parameterUses", graph, of);
  return inputsOf("parameterUses", graph, params).flatMap((value, i) => {
    const { nodes } = nodesBetween([value], [output]);
    return nodes.filter((node) => node.inputs.includes(value)).map((node) => useOf(params[i]!, value, node));
  });
}

function useOf(param: string, value: Value, node: Node): ParameterUse {
  const [output] = node.outputs;
  const at = node.inputs.indexOf(value);
  const once = node.inputs.lastIndexOf(value) === at;
  const other: ParameterUse = { kind: "other", param, op: node.op, node: node.name };
  if (!once) return other;
  switch (node.op) {
    case "Gemm": {
      const { alpha, beta, transA, transB } = node.attributes;
      if (at === 1 && alpha === 1 && transA === 0)
        return { kind: "dense", param, transposed: transB === 1, input: node.inputs[0]!, output };
      return at === 2 && beta === 1 && isTrailing(value, output) ? { kind: "bias", param, output } : other;
    }
    case "Add":
      return isTrailing(value, output) ? { kind: "bias", param, output } : other;
    case "Mul": {
      const input = node.inputs[1 - at]!;
      return isTrailing(value, output) && sameShape(input.shape, output.shape)
        ? { kind: "scale", param, input, output }
        : other;
    }
    case "Conv":
      if (at === 1) return { kind: "convolution", param, attributes: node.attributes, input: node.inputs[0]!, output };
      return at === 2 ? { kind: "channelBias", param, output } : other;
    case "Gather":
      return at === 0 && node.attributes.axis === 0
        ? { kind: "embedding", param, indices: node.inputs[1]!, output }
        : other;
    default:
      return other;
  }
}

/** Whether a parameter is repeated along leading axes only: [out] in [n, out]. */
function isTrailing(param: Value, output: Value): boolean {
  const own = param.shape.findIndex((dim) => dim !== 1);
  const trailing: readonly Dim[] = own < 0 ? [] : param.shape.slice(own);
  return (
    trailing.length > 0 &&
    trailing.length < output.shape.length &&
    sameShape(trailing, output.shape.slice(-trailing.length))
  );
}
