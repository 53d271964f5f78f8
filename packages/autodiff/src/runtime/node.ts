/** The engine under Node: native kernels. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Engine } from "./engine.js";

export const engine: Engine = {
  name: "onnxruntime-node",
  InferenceSession,
  Tensor,
  sessionOptions: (device, threads) => ({
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    // Saves the planning pass of the first run; later runs are no slower (docs/autodiff/performance.md).
    enableMemPattern: false,
    logSeverityLevel: 3,
  }),
};
