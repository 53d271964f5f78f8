/**
 * Parameters that an exporter stored as one because their values are equal. Both PyTorch exporters merge equal initializers,
 * and in a freshly initialised network all normalisation scales are ones and all shifts zeros. Differentiated as one, they
 * would be one parameter with the sum of the derivatives, and another Hessian.
 *
 * The TorchScript exporter leaves an Identity from the one to the name of each other. The dynamo exporter leaves, with each
 * node, the call it came from, which names its own parameters: `layer_norm(args = (%x, [8], %p_norm2_weight, …))`.
 */
import { isFloat, type Tensor } from "../ir/tensor.js";
import type { NodeProto } from "../onnx/proto.js";
import type { Model } from "./model.js";
import { exporterNotes } from "./parameters.js";

export interface Unmerged {
  /** The graph's nodes, each reading its own parameter. */
  readonly nodes: readonly NodeProto[];
  /** Parameters that the file does not hold under a name of their own, with the initializer that has their values. */
  readonly copies: ReadonlyMap<string, string>;
  /** What the exporter calls them: PARAMETER or BUFFER. */
  readonly kinds: ReadonlyMap<string, string>;
}

export function unmerge({ graph, proto }: Model, stored: ReadonlyMap<string, Tensor>): Unmerged {
  const nodes = graph.node ?? [];
  const copies = new Map<string, string>();
  const kinds = new Map<string, string>();
  if (proto.producer_name !== "pytorch") return { nodes, copies, kinds };
  const outputs = new Set((graph.output ?? []).map(({ name }) => name));
  const kept = nodes.filter((node) => {
    const [source, alias] = [node.input?.[0] ?? "", node.output?.[0] ?? ""];
    const isAlias = node.op_type === "Identity" && stored.has(source) && !stored.has(alias) && !outputs.has(alias);
    if (isAlias) copies.set(alias, source);
    return !isAlias;
  });
  const { originalName } = exporterNotes([...(graph.value_info ?? []), ...(graph.input ?? [])]);
  const known = new Set(originalName.values());
  const rewired = kept.map((node) => {
    const notes = new Map((node.metadata_props ?? []).map(({ key, value }) => [key, value]));
    const call = notes.get("pkg.torch.onnx.fx_node");
    if (call === undefined) return node;
    const mentioned = [...new Set([...call.matchAll(/%([pb]_\w+)/g)].map(([, name]) => name!))];
    const merged = (node.input ?? []).flatMap((name, at) => {
      const own = originalName.get(name);
      const tensor = stored.get(name);
      // Equal numbers all over, in a vector: an initial value. Equal matrices are taken for one that is tied.
      const isMerged = own !== undefined && !mentioned.includes(own) && tensor !== undefined && isInitialVector(tensor);
      return isMerged ? [at] : [];
    });
    if (merged.length === 0) return node;
    const missing = mentioned.filter((name) => !known.has(name));
    const input = [...(node.input ?? [])];
    merged.forEach((at, i) => {
      const source = input[at]!;
      const internal = missing.length === merged.length ? missing[i]! : null;
      const alias =
        internal === null
          ? `${source}@${/^%(\w+)/.exec(call)?.[1] ?? node.name}`
          : dotted(internal, notes.get("namespace") ?? "");
      copies.set(alias, source);
      kinds.set(alias, internal?.startsWith("b_") ? "BUFFER" : "PARAMETER");
      input[at] = alias;
    });
    return { ...node, input };
  });
  return { nodes: rewired, copies, kinds };
}

const isInitialVector = ({ type, shape, data }: Tensor): boolean =>
  isFloat(type) && shape.length === 1 && data.every((value) => value === data[0]);

/** "p_blocks_0_norm2_weight" by the module it is used in, "blocks.0.norm2": "blocks.0.norm2.weight". */
function dotted(internal: string, namespace: string): string {
  const name = internal.slice(2);
  const modules = namespace.split("/").map((part) => part.split(":")[0]!.trim());
  const flat = (module: string): string => `${module.replaceAll(".", "_")}_`;
  const owners = modules.filter((module) => module !== "" && name.startsWith(flat(module)));
  const owner = owners.sort((a, b) => b.length - a.length)[0];
  return owner === undefined ? name : `${owner}.${name.slice(flat(owner).length)}`;
}
