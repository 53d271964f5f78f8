/** What the records of a run hold, by kind: `RecordMade.data` as the probes make it. Numbers may be NaN or infinite. */

/** Kind `spectrum/hessian`: the density of the spectrum of the training loss's Hessian, by stochastic Lanczos quadrature. */
export interface SpectrumRecordData {
  readonly matrix: "hessian";
  /** P. Times the density: eigenvalues per unit of λ. */
  readonly size: number;
  /** λ, ascending and evenly spaced. */
  readonly grid: readonly number[];
  /** Per unit of λ; its integral is 1. */
  readonly density: readonly number[];
  /** Of the density, over the random vectors. */
  readonly standardError: readonly number[];
  /** Standard deviation of the Gaussian that stands for each eigenvalue. */
  readonly width: number;
  /** The extreme Ritz values. */
  readonly lambdaMin: number;
  readonly lambdaMax: number;
  /** λ_max at which the deterministic edge is met; NaN with a preconditioner, where the Hessian alone does not tell. */
  readonly edge: number;
  /** Products with the Hessian that it took. */
  readonly products: number;
}

/** Kind `spectrum/ntk`: all eigenvalues of Θ on the probe, output curvature and preconditioner applied. */
export interface NtkSpectrumRecordData {
  readonly matrix: "ntk";
  /** n. */
  readonly examples: number;
  /** C, or the sampled directions of each example. */
  readonly outputs: number;
  /** Ascending, n·outputs of them, six digits. */
  readonly eigenvalues: readonly number[];
  readonly edge: number;
  /** Squared loss without a preconditioner only: (v_μ·z)² of the residual z = f − y for each eigenvalue, six digits. */
  readonly residuals?: readonly number[];
  /** With `residuals`: ‖z‖²/(2n), the loss on the probe. What lies outside Θ's range counts too. */
  readonly loss?: number;
}

/** Kind `attribution`: which layers make K and λ_max what they are. Each share sums to 1 over the layers. */
export interface AttributionRecordData {
  readonly examples: number;
  /** C. */
  readonly outputs: number;
  /** S, where random directions stand for the outputs. */
  readonly sampledOutputs: number | null;
  readonly noiseKernel: number;
  readonly lambdaMax: number;
  /** In order of computation. */
  readonly layers: readonly LayerRecord[];
}

export interface LayerRecord {
  readonly name: string;
  readonly kind: string;
  readonly params: readonly string[];
  /** Numbers in it. */
  readonly size: number;
  readonly traceShare: number;
  readonly lambdaMaxShare: number;
  /** NaN past the deterministic edge, where there is no Perron vector. */
  readonly perronShare: number;
}

/** Kind `examples`: which training examples make K what it is. */
export interface ExamplesRecordData {
  /** n. */
  readonly examples: number;
  readonly noiseKernel: number;
  /** 1/Σw²: how many examples share the Perron vector. */
  readonly effectiveExamples: number;
  /** Those of most weight, descending, at most ten. */
  readonly responsible: readonly ResponsibleRecord[];
}

export interface ResponsibleRecord {
  /** In the training set. */
  readonly index: number;
  /** Of all weights of the probe, which sum to 1. */
  readonly weight: number;
  /** Of a class: where targets are one-hot. */
  readonly label?: number;
  readonly predicted?: number;
  /** Of inputs that are images of at most 64 × 64, scaled to their own range. */
  readonly image?: {
    readonly width: number;
    readonly height: number;
    /** 1 or 3. */
    readonly channels: number;
    /** Base64 of width·height·channels bytes, row-major, channels last. */
    readonly pixels: string;
  };
}
