import { OnnxFileError } from "../ir/errors.js";

/** Throws the typed error for the place at hand: the file, and the node where there is one. */
export type Refuse = (reason: string, cause?: unknown) => never;

export interface Place {
  readonly file: string | undefined;
  readonly node?: string;
  readonly op?: string;
}

/** `importOnnx: model.onnx: node "conv1" (Conv): reason.` */
export function refuseAt(place: Place): Refuse {
  return (reason, cause) => {
    const node = place.op === undefined ? [] : [`node "${place.node ?? ""}" (${place.op})`];
    const message = ["importOnnx", place.file ?? "model", ...node, reason].join(": ");
    throw new OnnxFileError(message.endsWith(".") ? message : `${message}.`, { ...place, cause });
  };
}
