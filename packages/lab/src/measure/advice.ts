import type { CriticalValues, Measured } from "./critical.js";

export interface Standing {
  readonly learningRate: number;
  readonly batchSize: number;
  /** N. */
  readonly population: number;
  /** K exact. */
  readonly kernel: Measured;
  /** η λ_max/(2(1+m)) or its like. */
  readonly deterministic: Measured;
  readonly critical: CriticalValues;
  /** n of the probe that K is from. */
  readonly probe: number;
}

/** Standard errors that a decision must be away from the edge. */
const certain = 2;
/** An error bar from two halves can be small by chance: K of a finite probe is no better known than this. */
const leastKernelError = 0.03;
/** Less than this is no advice worth following. */
const worthwhile = 1.15;

/**
 * What to change, each sentence with the numbers it rests on. Where an error bar spans the decision there is no advice,
 * and one sentence says so and how to know more.
 */
export function advise(standing: Standing): string[] {
  const { kernel, deterministic, learningRate } = standing;
  const inward = deterministic.value - certain * orZero(deterministic.standardError);
  const outward = deterministic.value + certain * orZero(deterministic.standardError);
  if (inward > 1) {
    const { learningRate: critical } = standing.critical;
    const noisy = critical.value - certain * orZero(critical.standardError); // K may come to 1 before that
    const most = noisy > 0 ? Math.min(noisy, learningRate / outward) : learningRate / outward;
    return [
      `Lower the learning rate from ${number(learningRate)} to ${number(most)} or less: η·λ_max stands at ` +
        `${bar(deterministic)} of the deterministic edge (and K = 1 at η = ${bar(critical)}). A larger batch does not help there.`,
    ];
  }
  if (outward >= 1) {
    return [
      `No advice on the learning rate: η·λ_max stands at ${bar(deterministic)} of the deterministic edge, and the error bar ` +
        `spans it. More examples for λ_max (--curvature-examples) narrow it.`,
    ];
  }
  if (kernel.value === Infinity) {
    return [
      `No advice: the ${standing.probe} examples that K is measured on are past the deterministic edge by themselves, ` +
        `the ones that λ_max is measured on stand at ${bar(deterministic)} of it. More examples (--examples) would tell.`,
    ];
  }
  const error = certain * kernelError(kernel);
  if (kernel.value - error > 1) return past(standing);
  if (kernel.value + error >= 1) {
    return [
      `No advice: K = ${bar(kernel)} lies on both sides of 1 within its error bar. A probe of ${2 * standing.probe} examples ` +
        `(--examples ${2 * standing.probe}) would narrow it.`,
    ];
  }
  return inside(standing);
}

function past({ learningRate, batchSize, population, kernel, critical }: Standing): string[] {
  const rate = critical.learningRate.value - certain * orZero(critical.learningRate.standardError);
  const batch = Math.ceil(critical.batchSize.value + certain * orZero(critical.batchSize.standardError));
  const lower =
    rate > 0 && rate < learningRate
      ? [
          `lower the learning rate from ${number(learningRate)} to ${number(rate)} or less (K = 1 at η = ${bar(critical.learningRate)})`,
        ]
      : [];
  const raise =
    batch > batchSize && batch <= population
      ? [`raise the batch from ${batchSize} to ${batch} or more (K = 1 at B = ${bar(critical.batchSize)})`]
      : [];
  const ways = [...lower, ...raise];
  const start = `The run is past the stochastic edge: K = ${bar(kernel)}.`;
  if (ways.length === 0) return [`${start} Where K = 1 is not known well enough to say by how much to change η or B.`];
  const text =
    ways.length > 1 ? `Either ${ways.join(", or ")}` : ways[0]!.replace(/^./, (letter) => letter.toUpperCase());
  return [`${start} ${text}.`];
}

function inside({ learningRate, batchSize, kernel, deterministic, critical }: Standing): string[] {
  const sentences: string[] = [];
  const lowRate = critical.learningRate.value - certain * orZero(critical.learningRate.standardError);
  const edgeRate = learningRate / (deterministic.value + certain * orZero(deterministic.standardError));
  const room = Math.min(lowRate, edgeRate);
  if (room > worthwhile * learningRate && Number.isFinite(room)) {
    const which =
      lowRate <= edgeRate
        ? `K = 1 at η = ${bar(critical.learningRate)}`
        : `the deterministic edge is at η = ${number(learningRate / deterministic.value)}`;
    sentences.push(
      `The learning rate has room at batch size ${batchSize}: up to ${number(room)}, ` +
        `${number(room / learningRate, 2)} times the present ${number(learningRate)} (${which}; K is now ${bar(kernel)}).`,
    );
  } else {
    sentences.push(
      `Leave the learning rate where it is: K = ${bar(kernel)}, and what is surely stable ends at η = ${number(Math.max(room, learningRate))}.`,
    );
  }
  const least = Math.ceil(critical.batchSize.value + certain * orZero(critical.batchSize.standardError));
  if (least < batchSize && batchSize > worthwhile * least) {
    sentences.push(
      `The batch could be ${least} instead of ${batchSize} at this learning rate (K = 1 at B = ${bar(critical.batchSize)}).`,
    );
  }
  const { deterministicAbove } = critical;
  const turn = deterministicAbove.value;
  const spread = certain * orZero(deterministicAbove.standardError);
  if (Number.isFinite(turn) && batchSize > turn + spread) {
    sentences.push(
      `Above B = ${number(turn)} the deterministic edge is the nearer one: a batch larger than the present ${batchSize} allows no larger step.`,
    );
  } else if (Number.isFinite(turn) && batchSize < turn - spread) {
    sentences.push(
      `Up to B = ${number(turn)} noise is what limits the step: a larger batch allows a larger learning rate, about in proportion.`,
    );
  }
  return sentences;
}

const kernelError = ({ value, standardError }: Measured) => Math.max(leastKernelError * value, orZero(standardError));
const orZero = (value: number): number => (Number.isFinite(value) ? value : 0);

/** A value ± its standard error. */
export function bar({ value, standardError }: Measured): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "unknown";
  return Number.isFinite(standardError) ? `${number(value)} ± ${number(standardError, 2)}` : number(value);
}

/** To so many significant digits, without a power of ten from 0.001 to a million. */
export function number(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "unknown";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return value.toExponential(digits - 1);
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) >= 1000 ? rounded.toLocaleString("en-GB") : String(rounded);
}
