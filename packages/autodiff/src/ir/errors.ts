/** A graph that cannot be built: an op was given types, shapes or attributes it does not take. */
export class ShapeError extends TypeError {
  override readonly name = "ShapeError";
}

/** A graph that cannot be differentiated or rewritten; names the node at fault. */
export class GraphError extends Error {
  override readonly name = "GraphError";
}

/** A file that is not a readable ONNX model, or holds what cannot be read; names the file, and the node where there is one. */
export class OnnxFileError extends Error {
  override readonly name = "OnnxFileError";
  /** The file's name, if it was given. */
  readonly file: string | undefined;
  readonly node: string | undefined;
  /** ONNX operator of the node. */
  readonly op: string | undefined;

  constructor(
    message: string,
    { file, node, op, cause }: { file?: string | undefined; node?: string; op?: string; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.file = file;
    this.node = node;
    this.op = op;
  }
}
