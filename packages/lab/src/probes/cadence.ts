/** When a run is measured: one of the three, or none for `count` of 16 at least and more within a budget of 5 %. */
export interface CadenceOptions {
  /** So many times, first and last step included. */
  readonly count?: number | undefined;
  /** On steps divisible by this, and on the last. */
  readonly every?: number | undefined;
  /** As often as keeps all probes within this share of the wall time, but at the first and the last step in any case. */
  readonly budget?: number | undefined;
}

/** Seconds of wall time of one probe: all its measurements, and the last of them. */
export interface ProbeCost {
  readonly total: number;
  readonly last: number;
}

/** What a run has cost so far, and how near it is to an edge. */
export interface Spent {
  readonly step: number;
  /** Seconds of wall time of the steps. */
  readonly training: number;
  /** By probe. */
  readonly probes: Readonly<Record<string, ProbeCost>>;
  /** The larger of K and η λ_max/(2(1 + m)) as last measured: 1 on an edge. −∞ if neither was. */
  readonly distance: number;
}

export interface Cadence {
  /** Steps at which a measurement may be due, ascending, from 0 to the last. */
  readonly candidates: readonly number[];
  /** Candidates at which all probes are asked, whatever they cost. */
  readonly fixed: ReadonlySet<number>;
  /** The share of the wall time that the probes may take; undefined where they are asked at fixed steps only. */
  readonly budget: number | undefined;
  /** Which probes to ask now, at a candidate. */
  due(spent: Spent): readonly string[];
  /** Seconds of measurements still to come, given those of training. */
  secondsLeft(spent: Spent, trainingLeft: number): number;
}

/** Share of the wall time, where a config says nothing about when to measure. */
export const defaultBudget = 0.05;

/**
 * With `count` and `every` the steps are fixed by the config, so a repeated run measures at the same ones. With `budget`
 * they depend on the machine's speed. With none of them a short run is measured 16 times, whatever share of it that is, and a
 * long one more often, within the default budget.
 */
export function cadence(steps: number, options: CadenceOptions = {}): Cadence {
  const { budget, count, every } = options;
  if (budget !== undefined) return budgetCadence(steps, budget, [0, steps]);
  const fixed = probeSteps(steps, options);
  if (count === undefined && every === undefined) return budgetCadence(steps, defaultBudget, fixed);
  return {
    candidates: fixed,
    fixed: new Set(fixed),
    budget: undefined,
    due: ({ probes }) => Object.keys(probes),
    secondsLeft: (spent) => fixedSecondsLeft(fixed, spent),
  };
}

/** The measurements left, at what the ones so far took on average. */
function fixedSecondsLeft(candidates: readonly number[], { step, probes }: Spent): number {
  const left = candidates.filter((candidate) => candidate > step).length;
  return (left * totalOf(probes)) / Math.max(1, candidates.length - left);
}

const totalOf = (probes: Spent["probes"]): number => Object.values(probes).reduce((sum, { total }) => sum + total, 0);

/** Before so many seconds of steps the speed of training is not known well enough to plan by. */
const leastTraining = 0.1;
/** A run this near to an edge may spend all that it has been allowed so far; one farther away keeps some for later. */
const near = 0.7;
const farShare = 0.7;

/**
 * The whole run is allowed budget/(1 − budget) of its training time, estimated from the speed so far. At the share p of
 * the run, √p of that may have been spent: half of it in the first quarter, where most happens. One measurement of every
 * probe is kept back for the last step.
 *
 * Each probe has its own cadence: the one that has cost least so far goes first, and where it does not fit yet, the others
 * wait for it. So all get the same time, a costly probe fewer measurements, and one too cheap to use its part leaves it to
 * the rest.
 *
 * @param fixed  Steps, the first and the last among them, at which all probes are asked whatever they cost.
 */
function budgetCadence(steps: number, budget: number, fixed: readonly number[]): Cadence {
  if (!(budget > 0 && budget < 1)) {
    throw new RangeError(`cadence: expected a budget above 0 and below 1, got ${budget}.`);
  }
  const perTraining = budget / (1 - budget);
  const always = new Set(fixed);
  const candidates = new Set(fixed);
  for (let step = 1; step < steps; step *= 2) candidates.add(step);
  for (let i = 1; i < 200; i++) candidates.add(Math.ceil((i * steps) / 200));
  return {
    candidates: [...candidates].sort((a, b) => a - b),
    fixed: always,
    budget,
    due({ step, training, probes, distance }) {
      if (always.has(step)) return Object.keys(probes);
      if (training < leastTraining) return [];
      const costs = Object.entries(probes).sort(([, a], [, b]) => a.total - b.total);
      const ending = costs.reduce((sum, [, { last }]) => sum + last, 0);
      const whole = (perTraining * training * steps) / step;
      const now = whole * Math.sqrt(step / steps) * (distance >= near ? 1 : farShare);
      const allowed = Math.min(now, whole - ending);
      const chosen: string[] = [];
      let spent = totalOf(probes);
      for (const [name, { last }] of costs) {
        if (spent + last > allowed) break;
        spent += last;
        chosen.push(name);
      }
      return chosen;
    },
    secondsLeft: (spent, trainingLeft) =>
      Math.max(perTraining * trainingLeft, fixed.length > 2 ? fixedSecondsLeft(fixed, spent) : 0),
  };
}

/**
 * The steps at which a run is measured, ascending, from 0 to `steps` inclusive.
 *
 * With `count`: half of them even over the run, half even in log(step) before the first of those, because most happens
 * early: for 12,000 steps and 16 measurements 0, 1, 3, 8, 23, 65, 186, 528, then every 1500. Short runs, whose steps
 * are fewer than the measurements, are measured at every step. With `every`: the multiples of it, and the last step.
 *
 * @throws RangeError if a number is not a positive integer, or count below 2.
 */
export function probeSteps(
  steps: number,
  { every, count = 16 }: Pick<CadenceOptions, "count" | "every"> = {},
): number[] {
  requireInteger("steps", steps, 1);
  const chosen = new Set([0, steps]);
  if (every !== undefined) {
    requireInteger("every", every, 1);
    for (let step = every; step < steps; step += every) chosen.add(step);
  } else {
    requireInteger("count", count, 2);
    const even = Math.max(1, Math.floor(count / 2));
    for (let i = 1; i < even; i++) chosen.add(Math.round((steps * i) / even));
    const early = count - 1 - even;
    const first = steps / even;
    for (let i = 0; i < early; i++) chosen.add(Math.min(steps, Math.round(first ** (i / early))));
    // Rounding can make neighbours meet; the smallest unused steps make up for it.
    for (let step = 1; chosen.size < Math.min(count, steps + 1); step++) chosen.add(step);
  }
  return [...chosen].sort((a, b) => a - b);
}

function requireInteger(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`probeSteps: expected ${name} to be a whole number, at least ${least}, got ${value}.`);
  }
}
