/** The engine in a browser: WebAssembly, with threads where the page is cross-origin isolated, or WebGPU. */
import { engineFiles, noAdapter, type Engine, type LoadEngine } from "./engine.js";

/** Each device is a module of its own, loaded when first asked for: a page that trains on wasm does not fetch WebGPU. */
export const loadEngine: LoadEngine = async (device) => {
  if (device === "webgpu" && !(await hasAdapter())) throw noAdapter();
  const ort = device === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");
  if (engineFiles.base !== undefined) ort.env.wasm.wasmPaths = engineFiles.base;
  const engine: Engine = {
    InferenceSession: ort.InferenceSession,
    Tensor: ort.Tensor,
    sessionOptions: (_, threads) => {
      // The number of threads belongs to the module here: the first session settles it. Without isolation a page has one.
      ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? threads : 1;
      return {
        executionProviders: [device === "cpu" ? "wasm" : device],
        executionMode: "sequential",
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
      };
    },
    free: () => undefined, // a browser's collector does that
  };
  return engine;
};

async function hasAdapter(): Promise<boolean> {
  const { gpu } = globalThis.navigator as { gpu?: { requestAdapter(): Promise<object | null> } };
  return gpu !== undefined && (await gpu.requestAdapter()) !== null;
}
