/** Which initializers are parameters, to differentiate by, and which stay constants; and which are one tied parameter. */
import type { NodeProto, ValueInfoProto } from "../onnx/proto.js";
import { isFloat, type Tensor } from "../ir/tensor.js";
import { domainOf } from "./model.js";

/** Inputs, by position, that are statistics, bounds or fill values, never weights. */
const notWeights: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [3, 4],
  Clip: [1, 2],
  Pad: [2],
  Dropout: [1],
  Range: [0, 1, 2],
  OneHot: [2],
  Resize: [1, 2],
};

/** Values this large are masks: nothing trains a weight to −3.4e38. */
const MASK = 1e30;

/** What the dynamo exporter notes about an initializer. */
export interface Notes {
  /** PARAMETER or BUFFER. */
  readonly kind: ReadonlyMap<string, string>;
  /** Its name inside the exporter, "p_norm1_weight". */
  readonly originalName: ReadonlyMap<string, string>;
}

export function exporterNotes(infos: readonly ValueInfoProto[]): Notes {
  const kind = new Map<string, string>();
  const originalName = new Map<string, string>();
  for (const { name, metadata_props: props } of infos) {
    for (const { key, value } of props ?? []) {
      if (key === "pkg.torch.export.graph_signature.InputSpec.kind") kind.set(name, value);
      if (key === "pkg.torch.onnx.original_node_name") originalName.set(name, value);
    }
  }
  return { kind, originalName };
}

/**
 * Why a float initializer is not a parameter, or null if it is one. Exporters write weights, buffers and folded constants
 * alike, so this is a judgement; the result of importing lists it and `params` overrules it.
 */
export function whyConstant(
  name: string,
  tensor: Tensor,
  uses: ReadonlyMap<string, readonly Use[]>,
  kinds: ReadonlyMap<string, string>,
): string | null {
  if (!isFloat(tensor.type)) return `${tensor.type}`;
  const kind = kinds.get(name);
  if (kind === "PARAMETER") return null;
  if (kind !== undefined) return "a buffer, as the exporter notes";
  const all = uses.get(name) ?? [];
  if (all.length > 0 && all.every(({ op, at }) => notWeights[op]?.includes(at)))
    return `only statistics or bounds of ${all[0]!.op}`;
  if (tensor.shape.length === 0) return "a scalar";
  return isMask(tensor) ? "a mask, by its values" : null;
}

/** A plain loop: this looks at every weight of the model. */
function isMask({ data }: Tensor): boolean {
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (!(value < MASK && value > -MASK)) return true;
  }
  return false;
}

export interface Use {
  readonly op: string;
  readonly at: number;
}

/** Where each name is read. */
export function usesOf(nodes: readonly NodeProto[]): Map<string, Use[]> {
  const uses = new Map<string, Use[]>();
  for (const node of nodes) {
    (node.input ?? []).forEach((name, at) => {
      const list = uses.get(name) ?? [];
      list.push({ op: domainOf(node.domain) === "" ? (node.op_type ?? "") : "", at });
      uses.set(name, list);
    });
  }
  return uses;
}

/** A parameter that the file stores a second time, transposed. */
export interface Tie {
  readonly name: string;
  readonly copyOf: string;
}

/** Names that exporters make up for constants they fold. */
const madeUp = /^(val_\d+|onnx::\w+|\/.*)$/;

/**
 * Matrices that are the transposed copy of another parameter. Weights tied in the model (an embedding that is also the
 * output projection) come apart when an exporter folds a Transpose of one use; the gradient belongs to both uses together.
 * Only a copy under a made-up name counts: layers may be equal by initialisation and yet be two.
 */
export function findTies(params: ReadonlyMap<string, Tensor>): Tie[] {
  const ties: Tie[] = [];
  const originals = new Map<string, string[]>();
  for (const [name, tensor] of params) {
    if (tensor.shape.length !== 2 || madeUp.test(name)) continue;
    const key = fingerprint(tensor);
    originals.set(key, [...(originals.get(key) ?? []), name]);
  }
  for (const [name, tensor] of params) {
    if (tensor.shape.length !== 2 || !madeUp.test(name) || isUniform(tensor)) continue;
    const copyOf = originals.get(fingerprint(tensor))?.find((original) => isTransposed(params.get(original)!, tensor));
    if (copyOf !== undefined) ties.push({ name, copyOf });
  }
  return ties;
}

/** Equal for a matrix and its transpose: type, sizes in any order, and the exclusive or of the elements' bits. */
function fingerprint({ type, shape, data }: Tensor): string {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  const stride = data.BYTES_PER_ELEMENT / 4;
  const mixed = new Uint32Array(stride);
  for (let i = 0; i < words.length; i++) mixed[i % stride]! ^= words[i]!;
  return `${type}:${shape.toSorted((a, b) => a - b).join(",")}:${mixed.join(",")}`;
}

const isUniform = ({ data }: Tensor): boolean => data.every((value) => value === data[0]);

function isTransposed(a: Tensor, b: Tensor): boolean {
  const [rows, columns] = a.shape as readonly [number, number];
  if (b.shape[0] !== columns || b.shape[1] !== rows) return false;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) if (!Object.is(a.data[i * columns + j], b.data[j * rows + i])) return false;
  }
  return true;
}
