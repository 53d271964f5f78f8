import { rateFactors } from "../advice/bounds.js";
import { number } from "../advice/measured.js";
import type { ControlPlan, ControlReading, ControlState } from "./controller.js";

/** What a law asks for: factors on the η and B at which the reading was made; null leaves that alone. */
export interface Wish {
  readonly learningRate: number | null;
  readonly batchSize: number | null;
  readonly why: string;
}

/** K within this share of its target is on target: it is no better known, and η that never rests helps nobody. */
export const band = 0.1;
/** Past the deterministic edge K is infinite and says nothing; η then goes to this share of the cap, where K can be read. */
const pastEdgeShare = 0.5;

/** @param target  K to aim for now. The reading is complete: K and the deterministic ratio are numbers. */
export type Law = (plan: ControlPlan, state: ControlState, reading: ControlReading, target: number) => Wish;

const nothing = (why: string): Wish => ({ learningRate: null, batchSize: null, why });

/** Past the cap, whatever else holds: no batch size cures the deterministic edge. */
function overCap({ deterministicCap }: ControlPlan, { noiseKernel, deterministic }: ControlReading): Wish | null {
  if (noiseKernel !== Infinity && deterministic <= deterministicCap) return null;
  const past = noiseKernel === Infinity || deterministic >= 1;
  const factor = past
    ? (pastEdgeShare * deterministicCap) / Math.max(1, deterministic)
    : deterministicCap / deterministic;
  const why = `η·λ_max at ${number(deterministic)} of the deterministic edge, the cap is ${number(deterministicCap)}`;
  return { learningRate: factor, batchSize: null, why };
}

/**
 * η ← η·ρ/(1 − r + ρr), ρ = target/K, r the deterministic ratio: the most that is sure not to overshoot whichever modes
 * the noise is in (advice/bounds.ts). Downwards η ← η·ρ, which on a frozen kernel is enough at once, K growing at least as
 * fast as η. So on a frozen kernel K comes to its target from below without overshoot.
 */
const noiseKernelLaw: Law = (plan, _, reading, target) => {
  const capped = overCap(plan, reading);
  if (capped) return capped;
  const { noiseKernel, deterministic } = reading;
  const read = `K = ${number(noiseKernel)} for a target of ${number(target)}`;
  if (Math.abs(noiseKernel / target - 1) <= band) return nothing(`${read}: on target`);
  const { safe } = rateFactors(noiseKernel, deterministic, target);
  const room = plan.deterministicCap / deterministic;
  if (safe > 1 && room < 1 + band / 2) return nothing(`${read}, but the deterministic edge is the nearer one`);
  return { learningRate: Math.min(safe, room), batchSize: null, why: read };
};

/** B ← B·K/target where K is above its target; where B can grow no more, η gives way. */
const batchLaw: Law = (plan, state, reading, target) => {
  const capped = overCap(plan, reading);
  if (capped) return capped;
  const read = `K = ${number(reading.noiseKernel)} for a target of ${number(target)}`;
  if (reading.noiseKernel <= (1 + band) * target) return nothing(`${read}: the batch is large enough`);
  if (state.batchSize < plan.maximumBatchSize) {
    return { learningRate: null, batchSize: reading.noiseKernel / target, why: read };
  }
  const why = `${read}, and B is at its largest`;
  return { learningRate: rateFactors(reading.noiseKernel, reading.deterministic, target).safe, batchSize: null, why };
};

/** As noise-kernel, up to the config's η; then it has nothing more to do. */
const warmupLaw: Law = (plan, state, reading, target) =>
  state.arrived ? nothing("the warmup is over") : noiseKernelLaw(plan, state, reading, target);

/** η = σ·2(1 + m)/λ_max, σ the cap: CDAT's rule with the Hessian's largest eigenvalue (Roulet et al. 2024). */
const sharpnessLaw: Law = ({ deterministicCap }, _, { deterministic }) => {
  const why = `η·λ_max at ${number(deterministic)} of the deterministic edge, to be ${number(deterministicCap)}`;
  const factor = deterministicCap / deterministic;
  return Math.abs(factor - 1) <= band / 2 ? nothing(why) : { learningRate: factor, batchSize: null, why };
};

export const laws: Readonly<Record<ControlPlan["kind"], Law>> = {
  "noise-kernel": noiseKernelLaw,
  "noise-kernel-batch": batchLaw,
  warmup: warmupLaw,
  sharpness: sharpnessLaw,
};
