import { checkPositive, TheoryRangeError } from "./errors.js";
import { learningRateAt } from "./critical.js";
import { checkSystem, type LinearSystem } from "./linear-system.js";
import { resolveDynamics, type SgdSettings } from "./settings.js";

/** Where a run is: inside both edges, beyond the stochastic one, or beyond the deterministic one (whatever its K). */
export type Phase = "stable" | "beyond-stochastic-edge" | "beyond-deterministic-edge";

export interface PhaseDiagram {
  readonly learningRates: readonly number[];
  readonly batchSizes: readonly number[];
  /** phases[b][k] is the phase at batchSizes[b] and learningRates[k]. On an edge counts as beyond it. */
  readonly phases: readonly (readonly Phase[])[];
  /** The largest stable learning rate at each batch size. */
  readonly criticalLearningRates: readonly number[];
  /** The learning rate of the deterministic edge, the same at every batch size. */
  readonly deterministicEdge: number;
}

/**
 * The phase diagram over (η, B). One critical learning rate a batch size, since K is increasing in η.
 *
 * @throws TheoryRangeError or TheoryTypeError for settings out of range or an empty axis
 */
export function phaseDiagram(
  system: LinearSystem,
  axes: { readonly learningRates: readonly number[]; readonly batchSizes: readonly number[] },
  settings: Omit<SgdSettings, "learningRate" | "batchSize"> = {},
): PhaseDiagram {
  const where = "phaseDiagram";
  checkSystem(where, system);
  const { learningRates, batchSizes } = axes;
  for (const [name, values] of Object.entries({ learningRates, batchSizes })) {
    if (values.length === 0) throw new TheoryRangeError(`${where}: ${name}: expected at least one value, got none.`);
  }
  learningRates.forEach((learningRate, k) => checkPositive(where, `learningRates[${k}]`, learningRate));
  const all = batchSizes.map((batchSize) =>
    resolveDynamics(where, system.examples, { ...settings, batchSize, learningRate: 1 }),
  );
  const criticalLearningRates = all.map((dynamics) => learningRateAt(system, dynamics, "exact", 1).value);
  const deterministicEdge = learningRateAt(system, all[0]!, "deterministic", 1).value;
  const phases = criticalLearningRates.map((critical) =>
    learningRates.map((learningRate): Phase => {
      if (learningRate >= deterministicEdge) return "beyond-deterministic-edge";
      return learningRate < critical ? "stable" : "beyond-stochastic-edge";
    }),
  );
  return { learningRates, batchSizes, phases, criticalLearningRates, deterministicEdge };
}
