/** Small ONNX files written message by message, for what no exporter here writes. */
import { tensor, type Tensor } from "../ir/tensor.js";
import { encodeTensor } from "../onnx/encode.js";
import {
  attributeTypes,
  encodeModel,
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type NodeProto,
  type ValueInfoProto,
} from "../onnx/proto.js";

export type AttributeData = number | string | readonly number[] | Tensor | { graph: GraphProto } | { float: number };

export function attribute(name: string, value: AttributeData): AttributeProto {
  if (typeof value === "number") return { name, type: attributeTypes.int, i: value };
  if (typeof value === "string") return { name, type: attributeTypes.string, s: new TextEncoder().encode(value) };
  if ("graph" in value) return { name, type: attributeTypes.graph, g: value.graph };
  if ("float" in value) return { name, type: attributeTypes.float, f: value.float };
  if ("data" in value) return { name, type: attributeTypes.tensor, t: encodeTensor(value) };
  return { name, type: attributeTypes.ints, ints: [...value] };
}

/** A node: `node("Gemm", ["x", "w"], ["y"], { transB: 1 })`. */
export const node = (
  op: string,
  input: string[],
  output: string[],
  attributes: Readonly<Record<string, AttributeData>> = {},
  extra: Partial<NodeProto> = {},
): NodeProto => ({
  op_type: op,
  name: `${op.toLowerCase()}_${output[0] ?? ""}`,
  input,
  output,
  attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  ...extra,
});

export const info = (name: string, dims: readonly (number | string | null)[] | null, type = 1): ValueInfoProto => ({
  name,
  type: {
    tensor_type: {
      elem_type: type,
      ...(dims && {
        shape: {
          dim: dims.map((dim) =>
            dim === null ? {} : typeof dim === "number" ? { dim_value: dim } : { dim_param: dim },
          ),
        },
      }),
    },
  },
});

export interface ModelParts {
  readonly nodes: NodeProto[];
  readonly inputs?: ValueInfoProto[];
  /** By name where they are float32. */
  readonly outputs?: (string | ValueInfoProto)[];
  readonly weights?: Readonly<Record<string, Tensor>>;
  readonly opset?: number;
  readonly functions?: FunctionProto[];
  readonly graph?: Partial<GraphProto>;
}

export const model = ({
  nodes,
  inputs = [info("x", ["batch", 2])],
  outputs = ["y"],
  weights = {},
  opset = 17,
  functions = [],
  graph = {},
}: ModelParts): Uint8Array =>
  encodeModel({
    ir_version: 8,
    opset_import: [{ domain: "", version: opset }, ...(functions.length > 0 ? [{ domain: "local", version: 1 }] : [])],
    functions,
    graph: {
      name: "test",
      node: nodes,
      input: inputs,
      output: outputs.map((each) => (typeof each === "string" ? info(each, null) : each)),
      initializer: Object.entries(weights).map(([name, value]) => encodeTensor(value, name)),
      ...graph,
    },
  });

export const floats = (values: readonly number[], shape?: readonly number[]): Tensor =>
  tensor(values, shape, "float32");
export const int64s = (values: readonly number[], shape?: readonly number[]): Tensor => tensor(values, shape, "int64");
