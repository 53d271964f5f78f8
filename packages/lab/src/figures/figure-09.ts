import type { Check } from "./figure.js";
import type { SettingData } from "./linear-setting.js";
import { decimals } from "./numbers.js";
import { settingFigure } from "./setting-figure.js";

/** Weight decay adds drift against the same noise: the stochastic edge comes at a larger rate, the deterministic at a smaller. */
export const figure09 = settingFigure({
  number: 9,
  title: "Weight decay: more drift against the same noise",
  // In units of the curvature, whose eigenvalues reach (1 + √(P/N))² ≈ 4.4; the mean one is P/N = 1.2.
  knob: { name: "weightDecay", values: [0, 0.01, 0.1, 0.5, 1] },
  naming: (weightDecay) => `δ = ${weightDecay}`,
  detail: "weights drawn towards those at which the residual is 0",
  rate: { label: "learning rate η (1/curvature)", of: (learningRate) => learningRate },
  axis: { label: "weight decay δ (curvature)", domain: [0, 1] },
  checks: decayChecks,
});

function decayChecks({ cases }: SettingData): Check[] {
  const stochastic = cases.map(({ critical }) => critical.exact);
  const deterministic = cases.map(({ critical }) => critical.deterministic);
  const rises = stochastic.every((rate, i) => i === 0 || rate > stochastic[i - 1]!);
  const falls = deterministic.every((rate, i) => i === 0 || rate < deterministic[i - 1]!);
  return [
    {
      claim: "weight decay raises the learning rate of the stochastic edge and lowers that of the deterministic one",
      measured:
        `from δ = 0 to ${cases.at(-1)!.value}: K exact = 1 at η ${decimals(stochastic[0]!, 3)} → ${decimals(stochastic.at(-1)!, 3)}, ` +
        `deterministic ${decimals(deterministic[0]!, 3)} → ${decimals(deterministic.at(-1)!, 3)}`,
      holds: rises && falls,
    },
  ];
}
