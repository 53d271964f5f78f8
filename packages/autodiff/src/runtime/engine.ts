/** What Sedge needs of ONNX Runtime, which onnxruntime-node and onnxruntime-web both provide. */
import type { InferenceSession, Tensor as EngineTensor } from "onnxruntime-common";

export interface Engine {
  readonly name: "onnxruntime-node" | "onnxruntime-web";
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof EngineTensor;
  /** Options that ask for a device and a number of threads; throws RangeError for a device this engine has not. */
  sessionOptions(device: Device, threads: number): InferenceSession.SessionOptions;
}

/** Where a graph runs. "cpu" is native code in Node and WebAssembly in the browser. */
export type Device = "cpu" | "webgpu";
