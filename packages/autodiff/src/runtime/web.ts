/** The engine in a browser: WebAssembly, with threads where the page is cross-origin isolated; WebGPU on request. */
import * as ort from "onnxruntime-web";
import type { Engine } from "./engine.js";

export const engine: Engine = {
  name: "onnxruntime-web",
  InferenceSession: ort.InferenceSession,
  Tensor: ort.Tensor,
  sessionOptions: (device, threads) => {
    // The number of threads belongs to the module here: the first session decides it.
    ort.env.wasm.numThreads = threads;
    return {
      executionProviders: [device === "cpu" ? "wasm" : device],
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    };
  },
};
