import type { Check, Figure } from "./figure.js";
import { linearSetting, sampling, type SettingData } from "./linear-setting.js";
import {
  coursePanel,
  criticalPanel,
  finalPanel,
  kernelPanel,
  settingChecks,
  settingTables,
} from "./linear-setting-panels.js";
import { decimals } from "./numbers.js";

/** In units of the curvature, whose eigenvalues reach (1 + √(P/N))² ≈ 4.4; the mean one is P/N = 1.2. */
const decays = [0, 0.01, 0.1, 0.5, 1];
const naming = (weightDecay: number) => `δ = ${weightDecay}`;

/** Weight decay: a small one moves the stochastic edge through the slow modes, which carry much of K. */
export const figure09: Figure<SettingData> = {
  number: 9,
  name: "figure-09",
  title: "Weight decay: more drift against the same noise",
  compute: (context) => linearSetting(9, { name: "weightDecay", values: decays }, context),
  sheet: (data, theme) => ({
    title: "Weight decay: more drift against the same noise",
    subtitle: [
      `Linear regression, ${data.problem.examples} examples, ${data.problem.params} parameters, batches of ` +
        `${data.problem.batchSize} without replacement, weights drawn towards those at which the residual is 0; ${data.problem.seeds} seeds.`,
    ],
    columns: 2,
    panels: [
      kernelPanel(data, theme, naming, { label: "learning rate η (1/curvature)", of: (learningRate) => learningRate }),
      criticalPanel(data, theme, { label: "weight decay δ (curvature)", domain: [0, 1] }, (delta) => delta),
      coursePanel(data, theme, naming),
      finalPanel(data, theme, naming),
    ],
  }),
  tables: (data) => settingTables(data, "weightDecay"),
  settings: ({ problem }) => ({ ...problem, sampling, decays }),
  checks: (data) => [...settingChecks(data), ...decayChecks(data)],
};

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
