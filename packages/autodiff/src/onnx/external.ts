/** ONNX models with their weights in a second file: what a model above 2 GB, the limit of a protobuf message, has to do. */
import type { Graph } from "../ir/graph.js";
import { modelOf, type ExportOptions } from "./encode.js";
import { encodeModel, type TensorProto } from "./proto.js";

export interface DataExportOptions extends ExportOptions {
  /** The name of the second file, which must lie in the folder of the first: "model.onnx.data". */
  readonly location: string;
  /** Tensors of at least so many bytes go into the second file. Default 1024. */
  readonly threshold?: number;
}

export interface ModelWithData {
  readonly model: Uint8Array;
  /** The second file, in pieces to be written one after the other: the whole may be too large for one array. */
  readonly data: readonly Uint8Array[];
}

/** External tensors start at multiples of this, so that a mapped file can be used where it lies. */
const ALIGNMENT = 64;
const EXTERNAL = 1;

/**
 * The graph as an ONNX model with its large tensors in a second file.
 *
 * @throws RangeError if the location is not the plain name of a file.
 */
export function exportOnnxWithData(
  graph: Graph,
  { location, threshold = 1024, ...options }: DataExportOptions,
): ModelWithData {
  if (location === "" || location === "." || location === ".." || /[/\\]/.test(location)) {
    throw new RangeError(
      `exportOnnxWithData: location must be the name of a file beside the model, got "${location}".`,
    );
  }
  const proto = modelOf(graph, options);
  const data: Uint8Array[] = [];
  let offset = 0;
  const append = (bytes: Uint8Array): void => {
    data.push(bytes);
    offset += bytes.byteLength;
  };
  const initializer = (proto.graph.initializer ?? []).map((tensor): TensorProto => {
    const { raw_data: bytes, ...rest } = tensor;
    if (bytes === undefined || bytes.byteLength < threshold) return tensor;
    const gap = (ALIGNMENT - (offset % ALIGNMENT)) % ALIGNMENT;
    if (gap > 0) append(new Uint8Array(gap));
    const place = { location, offset: String(offset), length: String(bytes.byteLength) };
    append(bytes);
    const external = Object.entries(place).map(([key, value]) => ({ key, value }));
    return { ...rest, data_location: EXTERNAL, external_data: external };
  });
  return { model: encodeModel({ ...proto, graph: { ...proto.graph, initializer } }), data };
}
