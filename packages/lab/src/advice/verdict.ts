import type { RunStatus } from "../run/events.js";
import { number } from "./measured.js";

/** Where a run stands, from what was measured last. Missing numbers are NaN or absent. */
export interface Standing {
  readonly status: RunStatus;
  /** The last step; of a diverged run the one that turned non-finite. */
  readonly step: number;
  /** η λ_max/(2(1 + m)): 1 on the deterministic edge. */
  readonly deterministic?: number;
  /** K exact: 1 on the stochastic edge. Infinity where the deterministic edge is crossed. */
  readonly noiseKernel?: number;
  readonly noiseKernelError?: number;
}

/** The standing of a run whose newest value of each metric is in `latest`, by metric path. */
export function standingOf(status: RunStatus, step: number, latest: Readonly<Record<string, number>>): Standing {
  return {
    status,
    step,
    deterministic: latest["edge/deterministic"] ?? NaN,
    noiseKernel: latest["noiseKernel/exact"] ?? NaN,
    noiseKernelError: latest["noiseKernel/exact/standardError"] ?? NaN,
  };
}

export interface Verdict {
  readonly state: "diverged" | "past-edge" | "at-edge" | "inside" | "well-inside" | "unknown";
  /** The edge nearer to being crossed. */
  readonly binding: "deterministic" | "stochastic" | null;
  /** One sentence for people. */
  readonly text: string;
}

/** A run that hovers at the deterministic edge oscillates a few per cent about it (Cohen et al. 2021, figure 1). */
const deterministicSlack = 0.05;
/** K from a finite probe is no better known than this, however small the error bar of two halves happens to be. */
const leastNoiseKernelSlack = 0.1;
/** Below this a larger learning rate is the obvious next thing to try. */
const wellInside = 0.5;

/**
 * Which edge binds, and how far away it is, in words.
 *
 * "At the edge" means within two standard errors of K = 1 (0.1 at least), or within 5 % of η λ_max = 2(1 + m).
 */
export function verdict(standing: Standing): Verdict {
  const judged = judge(standing);
  const brokenOff = standing.status === "interrupted" || standing.status === "failed";
  return brokenOff ? { ...judged, text: `${standing.status} at step ${standing.step}, ${judged.text}` } : judged;
}

function judge(standing: Standing): Verdict {
  const deterministic = standing.deterministic ?? NaN;
  const noiseKernel = standing.noiseKernel ?? NaN;
  const error = standing.noiseKernelError ?? NaN;
  const measured = describeMeasured(deterministic, noiseKernel, error);
  const binding = nearer(deterministic, noiseKernel);

  if (standing.status === "diverged") {
    const past = Math.max(orZero(deterministic), orZero(noiseKernel)) >= 1;
    const evidence =
      measured && (past ? `; last measured: ${measured}` : `; when last measured it was inside: ${measured}`);
    return { state: "diverged", binding, text: `diverged at step ${standing.step}${evidence}` };
  }
  if (binding === null) return { state: "unknown", binding, text: "neither edge was measured" };

  const [distance, slack, edge] =
    binding === "deterministic"
      ? // An infinite K says that the probe's own Θ is past the edge, even where the whole set's Hessian is just inside.
        [
          noiseKernel === Infinity ? Math.max(1, orZero(deterministic)) : deterministic,
          deterministicSlack,
          "deterministic edge",
        ]
      : [noiseKernel, Math.max(leastNoiseKernelSlack, 2 * orZero(error)), "stochastic edge"];
  if (distance > 1 + slack) return { state: "past-edge", binding, text: `past the ${edge}: ${measured}` };
  if (distance >= 1 - slack) return { state: "at-edge", binding, text: `at the ${edge}: ${measured}` };
  if (distance >= wellInside) return { state: "inside", binding, text: `inside, nearer the ${edge}: ${measured}` };
  return {
    state: "well-inside",
    binding,
    text: `well inside both edges: ${measured}; a larger learning rate has room`,
  };
}

/** The larger of the two distances, each 1 on its edge. K is infinite wherever the deterministic edge is crossed. */
function nearer(deterministic: number, noiseKernel: number): Verdict["binding"] {
  if (Number.isNaN(deterministic) && Number.isNaN(noiseKernel)) return null;
  if (noiseKernel === Infinity) return "deterministic";
  return orZero(noiseKernel) >= orZero(deterministic) ? "stochastic" : "deterministic";
}

function describeMeasured(deterministic: number, noiseKernel: number, error: number): string {
  const parts: string[] = [];
  if (!Number.isNaN(noiseKernel)) {
    const bar = Number.isFinite(error) ? ` ± ${error < 0.005 ? "<0.01" : error.toFixed(2)}` : "";
    parts.push(`K = ${distanceText(noiseKernel)}${bar}`);
  }
  if (!Number.isNaN(deterministic)) parts.push(`λ_max·η/2 = ${distanceText(deterministic)}`);
  return parts.join(", ");
}

const orZero = (value: number) => (Number.isNaN(value) ? 0 : value);

/** Hundredths near the edge; of a run that has blown up, two digits of how far. */
const distanceText = (distance: number) => (Math.abs(distance) < 1000 ? distance.toFixed(2) : number(distance, 2));
