/** What the page and the worker that trains say to each other. Plain data. */

export type ModelKind = "mlp" | "linear";

export interface ExperimentSettings {
  readonly model: ModelKind;
  readonly seed: number;
  readonly learningRate: number;
  readonly batchSize: number;
}

/** K of the probe, with what follows from its eigenpairs. */
export interface KernelReading {
  readonly step: number;
  /** K, dimensionless; Infinity past the deterministic edge. */
  readonly exact: number;
  /** From the probe's two halves. */
  readonly standardError: number;
  readonly diagonal: number;
  readonly highDim: number;
}

export interface SharpnessReading {
  readonly step: number;
  /** λ_max of the Hessian of the training loss. */
  readonly sharpness: number;
  /** λ_max·η/2: 1 on the deterministic edge. */
  readonly ratio: number;
}

export interface LossReading {
  readonly step: number;
  /** Mean over the training set; of a diverged run Infinity. */
  readonly loss: number;
  readonly accuracy: number;
}

/** Where the edges lie in the plane of η and B, for the weights at `step`. */
export interface PhaseReading {
  readonly step: number;
  readonly batchSizes: readonly number[];
  /** The learning rate at which K = 1, at each batch size: exact, and in the paper's high-dimensional form. */
  readonly exact: readonly number[];
  readonly highDim: readonly number[];
  /** The learning rate of the deterministic edge, the same at every batch size. */
  readonly deterministic: number;
}

export type ToWorker =
  | { readonly type: "open"; readonly settings: ExperimentSettings; readonly data: Uint8Array }
  | { readonly type: "change"; readonly learningRate: number; readonly batchSize: number }
  | { readonly type: "run"; readonly running: boolean }
  | { readonly type: "weights" };

export type FromWorker =
  | { readonly type: "opened"; readonly description: string; readonly paramCount: number; readonly examples: number }
  | { readonly type: "progress"; readonly step: number; readonly stepsPerSecond: number }
  | { readonly type: "loss"; readonly reading: LossReading }
  | { readonly type: "kernel"; readonly reading: KernelReading }
  | { readonly type: "sharpness"; readonly reading: SharpnessReading }
  | { readonly type: "phases"; readonly reading: PhaseReading }
  /** Everything has been measured at the weights, η and B as they are, and nothing moves. */
  | { readonly type: "settled" }
  | { readonly type: "diverged"; readonly step: number }
  /** A safetensors file: the weights, and in its metadata the settings and the step. */
  | { readonly type: "weights"; readonly step: number; readonly file: Uint8Array }
  | { readonly type: "failed"; readonly message: string };
