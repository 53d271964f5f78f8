import type { RunStatus } from "../run/events.js";
import type { CriticalValues } from "./critical.js";
import type { Measured } from "./measured.js";
import type { Verdict } from "./verdict.js";

/** What advice is made from: a run's settings, and what was measured of it with how much uncertainty. */
export interface AdviceInput {
  /** Default running, at step 0. */
  readonly status?: RunStatus;
  readonly step?: number;
  readonly learningRate: number;
  readonly batchSize: number;
  /** N. */
  readonly population: number;
  /** K exact; NaN if it was not measured, Infinity past the deterministic edge of its probe. */
  readonly kernel: Measured;
  /** η(λ_max + δ)/(2(1 + m)) or its like; NaN if it was not measured. */
  readonly deterministic: Measured;
  /** Solved on the probe. Without it, bounds that follow from K and the deterministic ratio alone. */
  readonly critical?: CriticalValues | undefined;
  /** n of the probe that K is from. */
  readonly probe: number;
  /** How to measure on more examples, as a person would write it, from their number: `--examples 128`. */
  readonly howToMeasureMore?:
    { readonly kernel: (examples: number) => string; readonly deterministic: string } | undefined;
  readonly layers?: readonly ResponsibleLayer[] | undefined;
  readonly examples?: readonly HeavyExample[] | undefined;
}

/** A layer's shares of all layers, from 0 to 1. */
export interface ResponsibleLayer {
  readonly name: string;
  readonly kind: string;
  /** Of the Perron vector of K; NaN past the deterministic edge. */
  readonly perronShare: number;
  /** Of λ_max. */
  readonly lambdaMaxShare: number;
}

/** An example of the probe, and its share of the Perron vector of K: all of the probe's sum to 1. */
export interface HeavyExample {
  readonly index: number;
  readonly weight: number;
  readonly label?: string | null;
}

/** One or two sentences, the numbers they rest on, and how sure they are. */
export interface Statement {
  readonly about:
    "standing" | "learning-rate" | "batch-size" | "larger-batches" | "aim" | "layers" | "examples" | "no-advice";
  readonly text: string;
  /**
   * `sure`: what it decides is two standard errors or more away from being otherwise. `likely`: from bounds, or from one
   * probe without an error bar. `unsure`: the error bar spans the decision, and no change follows.
   */
  readonly confidence: "sure" | "likely" | "unsure";
  readonly numbers: Readonly<Record<string, Measured>>;
  /** What it would set, on the safe side by two standard errors. */
  readonly change?: { readonly learningRate?: number; readonly batchSize?: number };
}

/** What to change about a run, and why. Plain data. */
export interface Advice {
  readonly verdict: Verdict;
  /** too-bold: surely past an edge. timid: K and the deterministic ratio surely below one half. unknown: cannot be told. */
  readonly temper: "too-bold" | "balanced" | "timid" | "unknown";
  readonly statements: readonly Statement[];
}

/** The statements as running text. */
export const adviceText = ({ statements }: Advice): string => statements.map(({ text }) => text).join(" ");
