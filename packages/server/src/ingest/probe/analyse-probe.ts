import {
  advise,
  adviceText,
  criticalValues,
  type Advice,
  type AdviceInput,
  type CriticalValues,
} from "@sedge/lab/advice";
import {
  probeNoiseKernel,
  TheoryRangeError,
  TheoryTypeError,
  traceNoiseKernel,
  type CriticalValue,
  type ProbeEstimate,
} from "@sedge/theory";
import { IngestError } from "../../errors.js";
import type { ProbeRequest } from "./probe-request.js";

/** Rows up to which the critical values are solved for, which costs some four times what K does; above, advice rests on bounds. */
const largestSolved = 1024;
const exampleCount = 10;

export type NormEstimate = Omit<ProbeEstimate, "extrapolated">;

/** What a probe comes to. Plain data; numbers may be NaN or infinite. */
export interface ProbeAnalysis {
  readonly kind: ProbeRequest["kind"];
  readonly examples: number;
  readonly outputs: number;
  readonly samples: number;
  readonly settings: ProbeRequest["settings"];
  /** K in the forms that the probe allows: all four of a Gram, `trace` of a trace. */
  readonly noiseKernel: Partial<Record<"exact" | "diagonal" | "highDim" | "trace", NormEstimate>>;
  /** Of Θ, the Gram divided by n; null for a trace. */
  readonly lambdaMax: number | null;
  /** η(λ_max + δ)/(2(1 + m)): 1 on the deterministic edge. */
  readonly deterministicRatio: number | null;
  /** Where K = 1, or the deterministic edge if that comes first, with all else as it is. */
  readonly criticalLearningRate: CriticalValue | null;
  readonly criticalBatchSize: CriticalValue | null;
  /** The examples that put the run where it is, by their place in the probe; weights of the whole probe sum to 1. */
  readonly topExamples: readonly { readonly place: number; readonly weight: number }[];
  /** Of Θ, ascending. */
  readonly spectrum: Float64Array;
  /** What the advisor says of any run: where it stands, what to change of η and B, how sure that is. `text` is all of it. */
  readonly advice: Advice & { readonly text: string };
  /** What a reader must know. */
  readonly notes: readonly string[];
}

/**
 * K in all forms that a probe allows, both edges, and what follows.
 *
 * Θ is the Gram divided by n, and for sampled gradients by S as well. There C enters `highDim` and `trace` only, which are means
 * over the n·C modes that Θ would have: their sums come out right, whatever the number of samples.
 *
 * @throws IngestError `bad-gram` for a Gram that is not symmetric or not positive semidefinite, beyond float32 rounding
 */
export function analyseProbe(request: ProbeRequest): ProbeAnalysis {
  return request.gram === null ? ofTrace(request) : ofGram(request, request.gram);
}

function ofTrace(request: ProbeRequest): ProbeAnalysis {
  const { kind, examples, outputs, samples, settings, trace } = request;
  const value = traceNoiseKernel(trace, outputs, settings);
  return {
    ...{ kind, examples, outputs, samples, settings },
    noiseKernel: { trace: { value, standardError: NaN, halfProbe: NaN, low: NaN, high: NaN } },
    ...{ lambdaMax: null, deterministicRatio: null, criticalLearningRate: null, criticalBatchSize: null },
    topExamples: [],
    spectrum: new Float64Array(),
    advice: adviceOf({ ...settings, kernel: unknown, deterministic: unknown, probe: examples }),
    notes: ["A trace gives no λ_max and no exact K. Send the Gram for both."],
  };
}

function ofGram(request: ProbeRequest, gram: Float64Array): ProbeAnalysis {
  const { kind, examples, outputs, samples, size, settings } = request;
  const sampled = kind === "gradients";
  const scale = 1 / (sampled ? size : examples);
  const kernel = asGramErrors(() =>
    probeNoiseKernel({ ntk: gram.map((product) => product * scale), examples, outputs: size / examples }, settings, {
      tolerance: 1e-5,
    }),
  );
  const { exact, diagonal, highDim, trace, lambdaMax, deterministicRatio, system, exampleWeights } = kernel;
  // Means over n·S modes; over the n·C that there would be they are smaller.
  const means = sampled ? samples / outputs : 1;
  const notes: string[] = [];
  if (sampled) {
    notes.push(
      `From ${samples} sampled label${samples === 1 ? "" : "s"} an example: exact and diagonal count the sampling as gradient ` +
        "noise and read high. The Gram of the Jacobian is free of that.",
    );
  }
  const solved = size <= largestSolved;
  if (!solved) notes.push(`Critical values are solved for up to ${largestSolved} rows; the advice rests on bounds.`);
  const critical = solved ? criticalValues(system, settings, deterministicRatio) : undefined;
  const topExamples = [...exampleWeights]
    .map((weight, place) => ({ place, weight }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, exampleCount);
  return {
    ...{ kind, examples, outputs, samples, settings },
    noiseKernel: {
      exact: scaled(exact, 1),
      diagonal: scaled(diagonal, 1),
      highDim: scaled(highDim, means),
      trace: scaled(trace, means),
    },
    ...{ lambdaMax, deterministicRatio, topExamples },
    criticalLearningRate:
      critical === undefined ? null : rateEdge(critical, settings.learningRate / deterministicRatio),
    criticalBatchSize: critical === undefined ? null : batchEdge(critical),
    spectrum: system.spectrum,
    advice: adviceOf({
      ...settings,
      kernel: { value: exact.value, standardError: exact.standardError },
      ...{ deterministic: { value: deterministicRatio, standardError: NaN }, critical },
      probe: examples,
      examples: topExamples.map(({ place, weight }) => ({ index: place, weight })),
    }),
    notes,
  };
}

function asGramErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    // The settings have been checked; what is left to refuse is the matrix.
    if (!(error instanceof TheoryRangeError) && !(error instanceof TheoryTypeError)) throw error;
    throw new IngestError("bad-gram", error.message.replace(/^\w+: ntk:/, "gram:"), "gram");
  }
}

function scaled({ value, standardError, halfProbe, low, high }: ProbeEstimate, factor: number): NormEstimate {
  return {
    ...{ value: value * factor, standardError: standardError * factor, halfProbe: halfProbe * factor },
    ...{ low: low * factor, high: high * factor },
  };
}

const unknown = { value: NaN, standardError: NaN };

function adviceOf(input: AdviceInput): ProbeAnalysis["advice"] {
  const advice = advise(input);
  return { ...advice, text: adviceText(advice) };
}

/** Where η meets its limit, and which: K = 1 comes first unless the kernel's noise never suffices for it. */
function rateEdge({ learningRate: { value } }: CriticalValues, deterministicEdge: number): CriticalValue {
  if (value === Infinity) return { value, edge: "none" };
  // criticalLearningRate looks for K = 1 up to a billionth below the edge.
  return { value, edge: value < deterministicEdge * (1 - 1e-9) ? "stochastic" : "deterministic" };
}

function batchEdge({ batchSize: { value } }: CriticalValues): CriticalValue {
  if (value === Infinity) return { value, edge: "deterministic" };
  return { value, edge: value > 1 ? "stochastic" : "none" };
}
