import type { Verdict } from "../advice/verdict.js";
import type { Statement } from "../advice/advice.js";
import type { CriticalValues } from "../advice/critical.js";
import type { Measured } from "../advice/measured.js";

/** A norm on a probe with its error bar, as `ProbeEstimate` of @sedge/theory. */
export interface NormEstimate extends Measured {
  readonly halfProbe: number;
  readonly extrapolated: number;
}

/** What one layer contributes. Shares sum to 1 over layers. */
export interface LayerRow {
  readonly name: string;
  readonly kind: string;
  /** Numbers in its parameters. */
  readonly size: number;
  readonly traceShare: number;
  readonly lambdaMaxShare: number;
  readonly perronShare: number;
  /** K exact, and the distance to the deterministic edge, of the network with only this layer's Jacobian. */
  readonly noiseKernel: number;
  readonly deterministicRatio: number;
}

/** An example that puts the run at the edge. */
export interface EdgeExample {
  /** Place in the data, and in the probe. */
  readonly index: number;
  readonly place: number;
  /** Its share of the Perron vector of K; 1/n if all did alike. */
  readonly weight: number;
  /** Its class, where the data have classes. */
  readonly label: string | null;
  /** Its file, where it has one of its own. */
  readonly file: string | null;
}

/** The density of eigenvalues, ∫ = 1, broadened; times `size` it counts them. */
export interface SpectrumCurve {
  /** Of which matrix, on how many examples, how. */
  readonly description: string;
  readonly size: number;
  readonly grid: readonly number[];
  readonly density: readonly number[];
  readonly standardError: readonly number[];
  /** Standard deviation of the broadening, in the unit of the grid. */
  readonly width: number;
}

/** Where K = 1, and where λ_max is on its edge. */
export interface ReportedCritical extends CriticalValues {
  /** What is met at `learningRate`: K = 1, or before it the deterministic edge of the examples that K is measured on. */
  readonly learningRateEdge: "stochastic" | "deterministic" | "none";
  /** The η at which λ_max as measured would be on the deterministic edge. */
  readonly deterministicLearningRate: number;
}

/** Everything that `sedge measure` measures. Plain data; numbers may be infinite or NaN. */
export interface MeasureReport {
  readonly model: {
    readonly path: string;
    readonly description: string;
    readonly inputShape: readonly number[];
    readonly outputShape: readonly number[];
    readonly paramCount: number;
  };
  readonly data: {
    readonly description: string;
    readonly probeExamples: number;
    readonly curvatureExamples: number;
    /** On the curvature examples. */
    readonly loss: number;
    readonly accuracy: number | null;
  };
  readonly settings: {
    readonly loss: string;
    readonly optimizer: string;
    readonly learningRate: number;
    readonly batchSize: number;
    /** N. */
    readonly population: number;
    readonly sampling: string;
    readonly seed: number;
  };
  readonly deterministic: {
    /** Of the Hessian, preconditioned where the optimiser does. Error: half the difference of two halves of the examples. */
    readonly lambdaMax: Measured;
    /** ‖Hv − λv‖ of the solver: how far it is from an eigenvalue on these examples. */
    readonly ritzResidual: number;
    readonly converged: boolean;
    /** The λ_max at which the run would be on the edge. */
    readonly edge: number;
    /** λ_max over that: 1 on the edge. */
    readonly ratio: Measured;
  };
  readonly noiseKernel: {
    readonly exact: NormEstimate;
    readonly diagonal: NormEstimate;
    readonly highDim: NormEstimate;
    readonly trace: NormEstimate;
  };
  readonly verdict: Verdict;
  readonly critical: ReportedCritical;
  readonly advice: readonly Statement[];
  readonly layers: readonly LayerRow[];
  readonly examples: readonly EdgeExample[];
  readonly spectrum: SpectrumCurve;
  readonly notes: readonly string[];
  /** Seconds by stage. */
  readonly seconds: Readonly<Record<string, number>>;
}
