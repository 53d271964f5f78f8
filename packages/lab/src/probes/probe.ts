import type { Graph } from "@sedge/autodiff";
import type { Random } from "@sedge/linalg";
import type { Dataset } from "../data/dataset.js";
import type { Model, Params } from "../models/model.js";
import type { Loss } from "../objectives/objective.js";
import type { RunOptimizer } from "../training/optimizer.js";
import type { Sampling } from "@sedge/theory";

/** The run's own stochastic gradient descent, as the theory needs it. */
export interface SgdSettings {
  /** N. */
  readonly examples: number;
  /** B. */
  readonly batchSize: number;
  readonly sampling: Sampling;
  /** m, heavy ball. Default 0. */
  readonly momentum?: number;
  /** δ, L2. Default 0. */
  readonly weightDecay?: number;
}

/** All that a probe may know of a run before it starts. */
export interface ProbeContext {
  readonly model: Model;
  /** The model with its loss. */
  readonly objective: Graph;
  readonly loss: Loss;
  readonly dataset: Dataset;
  readonly sgd: SgdSettings;
  /** The run's optimiser, whatever its kind. */
  readonly optimizer: RunOptimizer;
  /** The probe's own stream, forked from the run's seed by the probe's name: never the trainer's. */
  readonly random: Random;
  readonly threads: number;
  /** From a checkpoint, if the run is resumed. */
  readonly memory?: ProbeMemory | undefined;
}

/** The run after `step` updates. */
export interface ProbeView {
  readonly step: number;
  /** A copy: whatever a probe does with it, training goes on from its own. */
  readonly params: Params;
  /** All that the trainer carries, the optimiser's memory by names such as `secondMoment/W1` included. Not to be written to. */
  readonly carried: Params;
  /** η of the next update. */
  readonly learningRate: number;
  /** B of the next update, where a controller has changed it. */
  readonly batchSize?: number | undefined;
  /** Raised when the run is to stop: a probe that takes long looks at it now and then. */
  readonly signal?: AbortSignal | undefined;
  /** Vectors that probes found at this step, for those asked after them: `sharpness/vector`, the eigenvector of λ_max. */
  readonly findings?: Map<string, Float64Array>;
  /** Takes what is more than numbers: a spectrum, an attribution. Its kinds and their data are in `run/records.ts`. */
  readonly record?: ((record: ProbeRecord) => void) | undefined;
}

/** Something measured that is more than numbers by name: plain data, one of a kind at a step. */
export interface ProbeRecord {
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a probe remembers from one measurement to the next, and a checkpoint keeps: named vectors. */
export type ProbeMemory = Readonly<Record<string, Float64Array>>;

/** A probe of one run. */
export interface OpenProbe {
  /** What its next measurement depends on besides the view. Without it, a resumed run may measure differently. */
  readonly memory?: ProbeMemory;
  /** Measures; the keys are metric paths as listed in `run/events.ts`. */
  observe(view: ProbeView): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/** A probe watches: a run with it is bit-identical to the run without. May be used for several runs. */
export interface Probe {
  readonly name: string;
  open(context: ProbeContext): Promise<OpenProbe>;
}
