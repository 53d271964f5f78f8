import type { RunStore } from "../../store/store.js";
import type { RemoteRuns } from "../remote-runs.js";
import type { ProbeAnalyst } from "./analyst.js";
import type { ProbeAnalysis } from "./analyse-probe.js";
import type { ProbeBody } from "./probe-request.js";

export interface RecordedProbe {
  readonly runId: string;
  readonly step: number;
  readonly time: number;
  readonly analysis: ProbeAnalysis;
}

/**
 * Analyses a probe and stores what it comes to: metrics for the charts, the probe with its settings, its spectrum, and the advice.
 * A probe that is sent again, step and kind the same, takes the place of what it stored before.
 *
 * @throws as RemoteRuns.heard and ProbeAnalyst.analyse do
 */
export async function recordProbe(
  { store, runs, analyst }: { store: RunStore; runs: RemoteRuns; analyst: ProbeAnalyst },
  runId: string,
  body: ProbeBody,
): Promise<RecordedProbe> {
  runs.heard(runId); // before the work: for an unknown run there is none
  const { step, time = Date.now(), analysis } = await analyst.analyse(body);
  runs.checkClock(time, "time");
  const { spectrum, advice, notes, ...data } = analysis;
  await runs.record(runId, [{ step, time, values: probeMetrics(analysis) }]);
  store.record(runId, {
    probes: [{ step, time, kind: analysis.kind, data: { ...data, notes } }],
    spectra: spectrum.length === 0 ? [] : [{ step, time, kind: "ntk", eigenvalues: spectrum }],
    advice: [{ step, time, kind: "probe", text: advice.text, data: { ...advice, notes } }],
  });
  return { runId, step, time, analysis };
}

/** Under the names that Sedge's own trainer gives them; `ntk/lambdaMax` is of the Gauss–Newton matrix, not of the Hessian. */
function probeMetrics({ noiseKernel, lambdaMax, deterministicRatio, settings }: ProbeAnalysis): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [norm, { value }] of Object.entries(noiseKernel)) values[`noiseKernel/${norm}`] = value;
  if (noiseKernel.exact !== undefined) {
    values["noiseKernel/exact/standardError"] = noiseKernel.exact.standardError;
    values["noiseKernel/exact/halfProbe"] = noiseKernel.exact.halfProbe;
  }
  if (lambdaMax !== null) values["ntk/lambdaMax"] = lambdaMax;
  if (deterministicRatio !== null) values["edge/deterministic"] = deterministicRatio;
  return { ...values, learningRate: settings.learningRate, batchSize: settings.batchSize };
}
