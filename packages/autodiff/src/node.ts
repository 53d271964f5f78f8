/** @sedge/autodiff/node: ONNX files on disk, with the tensors that are kept beside them. */
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { importOnnx, type ImportedModel, type ImportOptions } from "./import/import-onnx.js";
import { OnnxFileError } from "./ir/errors.js";
import type { Graph } from "./ir/graph.js";
import { exportOnnx, type ExportOptions } from "./onnx/encode.js";
import { exportOnnxWithData } from "./onnx/external.js";

/** Models with more bytes of parameters than this get a second file: well below the 2 GB that one file may have. */
const LARGEST_SINGLE_FILE = 1e9;

/**
 * Reads an ONNX model from a file; tensors kept outside are read from the file's folder, and from nowhere else.
 *
 * @throws OnnxFileError as importOnnx does, and for a file that cannot be read.
 */
export function importOnnxFile(path: string, options: Omit<ImportOptions, "externalData"> = {}): ImportedModel {
  const file = options.file ?? path;
  const bytes = guarded(file, () => readFileSync(path));
  return importOnnx(bytes, {
    ...options,
    file,
    externalData: (location, offset, length) => guarded(file, () => readPart(path, location, offset, length)),
  });
}

export interface ExportFileOptions extends ExportOptions {
  /** Put tensors of at least this many bytes into a second file, `<path>.data`. Default: only if the first would pass 1 GB. */
  readonly externalThreshold?: number;
}

/** Writes the graph as an ONNX model. */
export function exportOnnxFile(
  path: string,
  graph: Graph,
  { externalThreshold, ...options }: ExportFileOptions = {},
): void {
  const size = Object.values(options.params ?? {}).reduce((sum, { data }) => sum + data.byteLength, 0);
  if (externalThreshold === undefined && size <= LARGEST_SINGLE_FILE) {
    writeFileSync(path, exportOnnx(graph, options));
    return;
  }
  const location = `${basename(path)}.data`;
  const threshold = externalThreshold ?? 1024;
  const { model, data } = exportOnnxWithData(graph, { ...options, location, threshold });
  const handle = openSync(join(dirname(path), location), "w");
  try {
    for (const piece of data) for (let at = 0; at < piece.byteLength;) at += writeSync(handle, piece, at);
  } finally {
    closeSync(handle);
  }
  writeFileSync(path, model);
}

/** A model comes from anywhere, so the names in it may lead nowhere but into its own folder, links included. */
function readPart(model: string, location: string, offset: number, length: number | null): Uint8Array {
  const refuse = (why: string): never => {
    throw new OnnxFileError(`importOnnxFile: ${model}: external data "${location}" ${why}.`, { file: model });
  };
  if (isAbsolute(location) || /^[A-Za-z]:|\\|\0/.test(location)) refuse("is not a path relative to the model");
  const folder = realpathSync(dirname(model));
  const inside = (path: string): boolean => {
    const way = relative(folder, path);
    return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  };
  if (!inside(join(folder, location))) refuse("lies outside the model's folder");
  const target = realpathSync(join(folder, location));
  if (!inside(target)) refuse("is a link that leads outside the model's folder");
  const handle = openSync(target, "r");
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) refuse("is not a file");
    const wanted = length ?? stat.size - offset;
    if (wanted < 0 || offset + wanted > stat.size)
      refuse(`has ${stat.size} bytes; expected ${wanted} from byte ${offset}`);
    const bytes = new Uint8Array(wanted);
    for (let at = 0; at < wanted;) {
      const read = readSync(handle, bytes, at, Math.min(wanted - at, 2 ** 30), offset + at);
      if (read === 0) refuse("became shorter while it was read");
      at += read;
    }
    return bytes;
  } finally {
    closeSync(handle);
  }
}

/** Errors of the file system as the typed error, with the file's name. */
function guarded<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof OnnxFileError) throw cause;
    throw new OnnxFileError(`importOnnxFile: ${file}: ${cause instanceof Error ? cause.message : String(cause)}.`, {
      file,
      cause,
    });
  }
}
