/** What Sedge needs of ONNX Runtime, which onnxruntime-node and onnxruntime-web both provide. */
import type { InferenceSession, Tensor as EngineTensor } from "onnxruntime-common";

/** Where a graph runs. "cpu" is native code in Node and WebAssembly in a browser. */
export type Device = "cpu" | "webgpu";

export interface Engine {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof EngineTensor;
  /** Options that ask for a device and a number of threads for each op. */
  sessionOptions(device: Device, threads: number): InferenceSession.SessionOptions;
  /** Gives memory back that nothing reads any more, where the platform can: otherwise the garbage collector does, later. */
  free(memory: ArrayBuffer): void;
}

/** What either platform's module exports. */
export type LoadEngine = (device: Device) => Promise<Engine>;

/** Settings that a page makes before its first `compile`. Node has no use for them. */
export const engineFiles: {
  /** Folder or URL, ending in "/", of the .mjs and .wasm files of onnxruntime-web. By default the bundler's place for them. */
  base?: string;
} = {};

/** WebGPU was asked for where there is none. */
export const noAdapter = (cause?: unknown): RangeError =>
  new RangeError('compile: device "webgpu" is not available here: there is no WebGPU adapter. Use device "cpu".', {
    cause,
  });
