import { parentPort } from "node:worker_threads";
import { IngestError } from "../../errors.js";
import { analyseProbe, type ProbeAnalysis } from "./analyse-probe.js";
import { readProbeRequest, type ProbeBody, type ProbeRequest } from "./probe-request.js";

/** What a probe's body says, and what it comes to. */
export interface ProbeResult extends Pick<ProbeRequest, "step" | "time"> {
  readonly analysis: ProbeAnalysis;
}

export type ProbeAnswer =
  | { readonly result: ProbeResult }
  | { readonly refused: Pick<IngestError, "code" | "message" | "path"> }
  | { readonly failed: string };

export function answerProbe(body: ProbeBody): ProbeAnswer {
  try {
    const request = readProbeRequest(body);
    return { result: { step: request.step, time: request.time, analysis: analyseProbe(request) } };
  } catch (error) {
    if (error instanceof IngestError) {
      const { code, message, path } = error;
      return { refused: { code, message, ...(path === undefined ? {} : { path }) } };
    }
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

// In a thread of its own: a job after the other, as they come.
parentPort?.on("message", (body: ProbeBody) => parentPort!.postMessage(answerProbe(body)));
