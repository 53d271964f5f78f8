import type { ProbeEstimate } from "@sedge/theory";
import type { Share } from "./shares.js";

/** A layer or a parameter array, and what of the run's stability it accounts for. */
export interface LayerShare extends Share {
  readonly name: string;
  readonly kind: string;
  readonly params: readonly string[];
  /** Numbers in it. */
  readonly size: number;
}

/** An example and its weight in the Perron vector: how much of what puts the run at the edge comes from it. */
export interface ResponsibleExample {
  /** In the data set. */
  readonly index: number;
  /** In the probe. */
  readonly place: number;
  /** Of all of the probe, sums to 1. */
  readonly weight: number;
}

/** K of a run, and which layers and examples make it what it is. Plain data; numbers may be Infinity or NaN. */
export interface NoiseKernelAttribution {
  /** n, of the probe. */
  readonly examples: number;
  /** C. */
  readonly outputs: number;
  /** N. */
  readonly population: number;
  /** B. */
  readonly batchSize: number;
  /** One line for people. */
  readonly optimizer: string;
  /** S, where the Gauss–Newton matrix is that of S random directions for each example, not of all C outputs. */
  readonly sampledOutputs: number | null;
  readonly kernel: {
    readonly exact: ProbeEstimate;
    readonly diagonal: ProbeEstimate;
    readonly highDim: ProbeEstimate;
    readonly trace: ProbeEstimate;
  };
  readonly lambdaMax: number;
  readonly deterministicRatio: number;
  readonly binding: "deterministic" | "stochastic";
  readonly stable: boolean;
  /** Of Θ on the probe, ascending. */
  readonly spectrum: readonly number[];
  /** Weights with their biases, in order of computation. */
  readonly layers: readonly LayerShare[];
  /** Every parameter array by itself. */
  readonly params: readonly LayerShare[];
  /** The examples of most weight, descending. */
  readonly responsible: readonly ResponsibleExample[];
  /** What a reader must know of how this was measured. */
  readonly notes: readonly string[];
}
