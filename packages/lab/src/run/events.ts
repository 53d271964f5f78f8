import type { TrainConfig } from "../config/train-config.js";

export type RunStatus = "running" | "finished" | "diverged" | "failed" | "interrupted";

/** A run has begun: everything that is known before the first step. */
export interface RunStarted {
  readonly type: "run-started";
  readonly runId: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly name: string;
  readonly config: TrainConfig;
  /** Optimiser updates that the run will make. */
  readonly steps: number;
  readonly model: { readonly paramCount: number; readonly description: string };
}

/**
 * What was measured after `step` updates. Keys are paths; all values dimensionless unless said:
 *
 * | key | meaning |
 * |---|---|
 * | `loss/train`, `loss/test` | mean over the whole training or test set |
 * | `loss/batch` | mean over the minibatches since the last event |
 * | `accuracy/train`, `accuracy/test` | share of examples whose largest output is the target's |
 * | `sharpness` | λ_max of the Hessian of the training loss, unit 1/η |
 * | `sharpness/ritzResidual` | ‖Hv − λv‖ of its eigenpair: an eigenvalue lies within this of `sharpness` |
 * | `edge/deterministic` | 1 on the deterministic edge of the run's optimiser; η(λ_max + δ) / (2(1 + m)) for SGD |
 * | `noiseKernel/exact` | K, 1 on the stochastic edge; Infinity past the deterministic one |
 * | `noiseKernel/exact/standardError` | from two disjoint halves of the probe batch |
 * | `noiseKernel/exact/halfProbe` | mean K of those halves: how K depends on the probe's size |
 * | `noiseKernel/diagonal`, `/highDim`, `/trace` | the approximations of K |
 * | `gradient/norm` | ‖∇L‖ over the whole training set |
 * | `gradient/alignment` | cosine with the gradient at the measurement before |
 * | `gradient/topAlignment` | size of the cosine with the eigenvector of λ_max |
 * | `distance/initial`, `distance/step` | ‖θ − θ₀‖, and ‖θ − θ at the measurement before‖ |
 * | `batchSharpness`, `…/standardError` | E_B[gᵀHg/‖g‖²] over minibatches of the run's size, unit 1/η |
 * | `edge/batch` | η · batchSharpness / 2: gradient descent on single minibatches is unstable above 1 |
 * | `gradientNoiseScale`, `…/standardError` | tr Σ/‖g‖², the critical batch size, in examples |
 * | `gradientNoiseScale/covarianceTrace` | tr Σ, of single examples' gradients |
 * | `oneStep/measured`, `oneStep/predicted` | change of the training loss by a step of full-batch descent; to second order |
 * | `trace/hessian`, `…/standardError` | tr ∇²L of the training loss, by Hutchinson's estimate |
 * | `spectrum/lambdaMin` | smallest Ritz value of the Hessian: at least λ_min |
 * | `spectrum/negative` | sum of the Hessian's negative eigenvalues over that of all their sizes, 0 to 1 |
 * | `learningRate`, `batchSize` | η and B in force |
 * | `speed/stepsPerSecond` | training steps a second, probes not counted |
 * | `cost/probes` | share of the wall time so far that went into probes |
 * | `cost/budget` | the share that they are to stay within, where they are not asked at fixed steps only |
 * | `cost/NAME` | seconds that this measurement of the probe NAME took |
 */
export interface MetricsRecorded {
  readonly type: "metrics";
  readonly runId: string;
  readonly time: number;
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Something measured or decided after `step` updates that is more than a few numbers: a spectrum, an attribution, what
 * a controller did. One of a kind at a step: the last one counts.
 */
export interface RecordMade {
  readonly type: "record";
  readonly runId: string;
  readonly time: number;
  readonly step: number;
  /** What it is: 1 to 64 letters, digits, `_`, `-` or `/`. The kind `advice` has a string `text` among its data. */
  readonly kind: string;
  /** Plain data, of 4 MiB as JSON at most. Numbers may be NaN or infinite; arrays of numbers may be typed ones. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** A run has ended. `step` is the last one that counts: for a diverged run, the one that turned non-finite. */
export interface RunFinished {
  readonly type: "run-finished";
  readonly runId: string;
  readonly time: number;
  readonly step: number;
  readonly status: Exclude<RunStatus, "running">;
  readonly message?: string;
}

/** Plain data, fit for JSON except that numbers may be NaN or ±Infinity. */
export type RunEvent = RunStarted | MetricsRecorded | RecordMade | RunFinished;
