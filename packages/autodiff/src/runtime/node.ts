/** The engine under Node: native kernels. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Engine, LoadEngine } from "./engine.js";

const engine: Engine = {
  InferenceSession,
  Tensor,
  sessionOptions: (device, threads) => ({
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    // Saves the planning pass of the first run; later runs are no slower.
    enableMemPattern: false,
    logSeverityLevel: 3,
  }),
};

export const loadEngine: LoadEngine = () => Promise.resolve(engine);
