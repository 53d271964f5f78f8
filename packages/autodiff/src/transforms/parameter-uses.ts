/** Where a graph uses its parameters: which layer, with which input activations, and what comes out. */
import { Builder } from "../builder/builder.js";
import { sameShape, type Shape } from "../ir/dims.js";
import type { Attributes, Graph, Node, Value } from "../ir/graph.js";
import { dependencies, nodesBetween } from "../ir/traverse.js";
import { perChannel } from "../ops/convolution.js";
import { permutation } from "../ops/layout.js";
import { inputsOf, outputOf } from "./graphs.js";

/**
 * One use of a parameter. `output` is the value the layer makes (before the activation function), so with its cotangent D:
 * - dense        output = input·W (+ …), W [in, out], or [out, in] where `transposed`:  W̄ = inputᵀ·D over all leading axes
 * - bias         output = … + b, b broadcast from `shape`:  b̄ = D summed to `shape`
 * - scale        output = input ∘ g (+ …), g broadcast from `shape`:  ḡ = input ∘ D summed to `shape`
 * - convolution  output = Conv(input, W), `attributes` those of the ONNX op
 * - embedding    output = W[indices], along axis 0
 * - other        anything else; `node` is the one that takes the parameter
 *
 * A parameter that is first reshaped, or a matrix that is first transposed, is seen through: its elements keep their order
 * (`transposed` says in which of the two).
 */
export type ParameterUse =
  | {
      readonly kind: "dense";
      readonly param: string;
      readonly transposed: boolean;
      readonly input: Value;
      readonly output: Value;
    }
  | { readonly kind: "bias"; readonly param: string; readonly shape: Shape; readonly output: Value }
  | {
      readonly kind: "scale";
      readonly param: string;
      readonly shape: Shape;
      readonly input: Value;
      readonly output: Value;
    }
  | {
      readonly kind: "convolution";
      readonly param: string;
      readonly attributes: Attributes;
      /** That of the kernel, [out, in/group, …]. */
      readonly shape: Shape;
      readonly input: Value;
      readonly output: Value;
    }
  | {
      readonly kind: "embedding";
      readonly param: string;
      /** That of W. */
      readonly shape: Shape;
      readonly indices: Value;
      readonly output: Value;
    }
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
  const g = new Builder(graph);
  return inputsOf("parameterUses", graph, params).flatMap((value, i) => {
    const { nodes } = nodesBetween([value], [output]);
    return usesOfView(g, params[i]!, { value, turned: false }, nodes);
  });
}

/** A parameter in another shape, its elements in the same order; or, if `turned`, the transpose of such a matrix. */
interface View {
  readonly value: Value;
  readonly turned: boolean;
}

function usesOfView(g: Builder, param: string, view: View, nodes: readonly Node[]): ParameterUse[] {
  return nodes
    .filter((node) => dependencies(node).includes(view.value))
    .flatMap((node) => {
      const next = viewThrough(node, view);
      return next ? usesOfView(g, param, next, nodes) : [useOf(g, param, view, node)];
    });
}

/** The view that a node makes of a view, or null if it does something else. */
function viewThrough(node: Node, { value, turned }: View): View | null {
  const [output] = node.outputs;
  if (node.inputs.indexOf(value) !== 0 || node.inputs.lastIndexOf(value) !== 0) return null;
  switch (node.op) {
    case "Reshape":
    case "Squeeze":
    case "Unsqueeze":
    case "Flatten":
    case "Identity":
      // Another shape would take the elements of a transposed matrix in another order.
      return turned && !sameShape(value.shape, output.shape) ? null : { value: output, turned };
    case "Transpose": {
      const perm = permutation(node.attributes.perm as readonly number[] | undefined, value);
      return perm.length === 2 && perm[0] === 1 ? { value: output, turned: !turned } : null;
    }
    default:
      return null;
  }
}

function useOf(g: Builder, param: string, { value, turned }: View, node: Node): ParameterUse {
  const [output] = node.outputs;
  const at = node.inputs.indexOf(value);
  const once = at >= 0 && node.inputs.lastIndexOf(value) === at && !node.body;
  const other: ParameterUse = { kind: "other", param, op: node.op, node: node.name };
  if (!once) return other;
  if (node.op === "Gemm" || node.op === "MatMul") {
    const dense = denseUse(param, value, turned, node);
    if (dense) return dense;
  }
  if (turned) return other;
  const bias = (shape: Shape): ParameterUse => ({ kind: "bias", param, shape, output });
  const channels = (like: Value): Shape => [value.shape[0]!, ...new Array<number>(like.shape.length - 2).fill(1)];
  switch (node.op) {
    case "Gemm":
      return at === 2 && node.attributes.beta === 1 ? bias(value.shape) : other;
    case "Add":
      return bias(value.shape);
    case "Mul":
      return { kind: "scale", param, shape: value.shape, input: node.inputs[1 - at]!, output };
    case "Conv":
      if (at === 2) return bias(channels(output));
      return at === 1
        ? {
            kind: "convolution",
            param,
            attributes: node.attributes,
            shape: value.shape,
            input: node.inputs[0]!,
            output,
          }
        : other;
    case "LayerNormalization": {
      if (at === 2) return bias(value.shape);
      const [, mean, rate] = node.outputs as readonly [Value, Value, Value];
      const normal = (): Value => g.mul(g.sub(node.inputs[0]!, mean), rate);
      return at === 1 ? { kind: "scale", param, shape: value.shape, input: normal(), output } : other;
    }
    case "BatchNormalization": {
      const x = node.inputs[0]!;
      if (at === 2) return bias(channels(x));
      const [mean, variance] = node.inputs.slice(3) as [Value, Value];
      const rate = (): Value => g.reciprocal(g.sqrt(g.add(variance, node.attributes.epsilon as number)));
      const normal = (): Value => g.mul(g.sub(x, perChannel(g, mean, x)), perChannel(g, rate(), x));
      return at === 1 ? { kind: "scale", param, shape: channels(x), input: normal(), output } : other;
    }
    case "Gather":
      return at === 0 && node.attributes.axis === 0
        ? { kind: "embedding", param, shape: value.shape, indices: node.inputs[1]!, output }
        : other;
    default:
      return other;
  }
}

function denseUse(param: string, value: Value, turned: boolean, node: Node): ParameterUse | null {
  const { alpha = 1, transA = 0, transB = 0 } = node.attributes;
  if (node.inputs[1] !== value || alpha !== 1 || transA !== 0 || value.shape.length !== 2) return null;
  const transposed = (transB === 1) !== turned;
  return { kind: "dense", param, transposed, input: node.inputs[0]!, output: node.outputs[0] };
}
