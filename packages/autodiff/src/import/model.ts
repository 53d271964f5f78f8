/** The decoded file before any value is built: opsets, functions, which nodes the outputs need, which ops nobody knows. */
import {
  decodeModel,
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
} from "../onnx/proto.js";
import { isKnownOp } from "../ops/registry.js";
import type { Refuse } from "./refuse.js";
import { isRewritten } from "./rewrites.js";

/** Operator set versions whose meaning the rewrites know. */
export const OLDEST_OPSET = 11;
export const NEWEST_OPSET = 23;

export type Opsets = ReadonlyMap<string, number>;

export interface Model {
  readonly proto: ModelProto;
  readonly graph: GraphProto;
  readonly opsets: Opsets;
  readonly functions: ReadonlyMap<string, FunctionProto>;
}

export const domainOf = (domain: string | undefined): string =>
  domain === undefined || domain === "ai.onnx" ? "" : domain;

export const functionKey = ({ domain, overload }: { domain?: string; overload?: string }, name: string): string =>
  `${domainOf(domain)}::${name}::${overload ?? ""}`;

/** @throws OnnxFileError through `refuse` if the bytes are not a model of a known operator set. */
export function openModel(bytes: Uint8Array, refuse: Refuse): Model {
  if (!(bytes instanceof Uint8Array)) {
    refuse(
      `expected the bytes of a file, a Uint8Array, got ${typeof bytes}; importOnnxFile of @sedge/autodiff/node takes a path`,
    );
  }
  if (bytes.byteLength === 0) refuse("the file is empty");
  const proto = decode(bytes, refuse);
  const { graph } = proto;
  if (graph === undefined)
    return refuse("not an ONNX model: it holds no graph (is it truncated, or another kind of file?)");
  const functions = new Map((proto.functions ?? []).map((each) => [functionKey(each, each.name ?? ""), each]));
  const opsets = opsetsOf(proto.opset_import ?? []);
  const version = opsets.get("");
  if (version === undefined) refuse("not an ONNX model: it names no operator set");
  else if (version < OLDEST_OPSET || version > NEWEST_OPSET) {
    refuse(
      `operator set ${version}; expected ${OLDEST_OPSET} to ${NEWEST_OPSET} (export again with opset_version=18, or convert with onnx.version_converter)`,
    );
  }
  if (graph.sparse_initializer?.length) refuse("it has sparse initializers, which Sedge does not read");
  return { proto, graph, opsets, functions };
}

function decode(bytes: Uint8Array, refuse: Refuse): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (cause) {
    return refuse(
      `not a readable ONNX model (${cause instanceof Error ? cause.message : String(cause)}); the file may be truncated`,
      cause,
    );
  }
}

export const opsetsOf = (imports: readonly { domain?: string; version?: number }[]): Opsets =>
  new Map(imports.map(({ domain, version }) => [domainOf(domain), version ?? 0]));

/** The nodes that `results` need, in the file's order. */
export function nodesNeeded(nodes: readonly NodeProto[], results: readonly string[]): NodeProto[] {
  const wanted = new Set(results);
  const needed: NodeProto[] = [];
  for (const node of nodes.toReversed()) {
    if (!(node.output ?? []).some((name) => name !== "" && wanted.has(name))) continue;
    needed.push(node);
    for (const name of namesRead(node)) wanted.add(name);
  }
  return needed.reverse();
}

/** Everything a node reads from its surroundings, for subgraphs as well. Empty names stand for absent inputs. */
export function namesRead(node: NodeProto): string[] {
  const own = node.input ?? [];
  const inner = graphsOf(node).flatMap((graph) => [
    ...(graph.node ?? []).flatMap(namesRead),
    ...(graph.output ?? []).map(({ name }) => name ?? ""),
  ]);
  return [...own, ...inner].filter((name) => name !== "");
}

const graphsOf = (node: NodeProto): GraphProto[] =>
  (node.attribute ?? []).flatMap((attribute: AttributeProto) => (attribute.g ? [attribute.g] : []));

/** Why some operators have no rule, where there is more to say than that. */
const reasons: Readonly<Record<string, string>> = {
  Loop: "a loop; unroll it before exporting",
  Scan: "a loop; unroll it before exporting",
  If: "a branch",
  QuantizeLinear: "quantised: export the float model",
  DequantizeLinear: "quantised: export the float model",
  DynamicQuantizeLinear: "quantised: export the float model",
  MatMulInteger: "quantised: export the float model",
  ConvInteger: "quantised: export the float model",
  QLinearMatMul: "quantised: export the float model",
  QLinearConv: "quantised: export the float model",
  RandomNormal: "random",
  RandomNormalLike: "random",
  RandomUniform: "random",
  RandomUniformLike: "random",
  Bernoulli: "random",
  Multinomial: "random",
  NonZero: "its shape depends on its data",
  Unique: "its shape depends on its data",
  NonMaxSuppression: "its shape depends on its data",
};

/**
 * Refuses nodes that have neither rule nor rewrite, all of them in one message. Follows functions; branches of an If are
 * looked at when it is known which one is taken.
 */
export function refuseUnknownOps(model: Model, nodes: readonly NodeProto[], refuse: Refuse): void {
  const unknown = new Map<string, string[]>();
  const seen = new Set<string>();
  const visit = (list: readonly NodeProto[], path: string): void => {
    for (const node of list) {
      const op = node.op_type ?? "";
      const domain = domainOf(node.domain);
      const key = functionKey(node, op);
      const called = model.functions.get(key);
      if (called) {
        if (!seen.has(key)) {
          seen.add(key);
          visit(called.node ?? [], `${path}${node.name || op}/`);
        }
        continue;
      }
      if (op === "If" || isRewritten(domain, op) || (domain === "" && isKnownOp(op))) continue;
      const title = domain === "" ? op : `${domain}.${op}`;
      const name = node.name || (node.output ?? []).find((each) => each !== "") || "unnamed";
      unknown.set(title, [...(unknown.get(title) ?? []), `"${path}${name}"`]);
    }
  };
  visit(nodes, "");
  if (unknown.size === 0) return;
  const lines = [...unknown].map(([title, names]) => {
    const why = reasons[title];
    return `${title}${why ? ` (${why})` : ""} at ${names.join(", ")}`;
  });
  refuse(
    `${unknown.size === 1 ? "an operator is" : `${unknown.size} operators are`} not supported: ${lines.join("; ")}`,
  );
}
