/** The engine under Node: native kernels. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Engine, LoadEngine } from "./engine.js";

/**
 * Its other end is closed, so what is sent is dropped, and with it the memory that moves along. Node 20 has no other way to free
 * an ArrayBuffer; left to the garbage collector, 64 MB of them are made, page by page, before the first is used again.
 */
const nowhere = new MessageChannel();
nowhere.port2.close();

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
  free: (memory) => nowhere.port1.postMessage(null, [memory]),
};

export const loadEngine: LoadEngine = () => Promise.resolve(engine);
