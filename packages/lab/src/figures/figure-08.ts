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

const momenta = [0, 0.5, 0.8, 0.9, 0.95];
const naming = (momentum: number) => `m = ${momentum}`;
const effective = (learningRate: number, momentum: number) => learningRate / (1 - momentum);

/** Momentum: near the stochastic edge it acts as the learning rate η/(1−m). */
export const figure08: Figure<SettingData> = {
  number: 8,
  name: "figure-08",
  title: "Momentum: the noise sees η/(1−m), the curvature η/(1+m)",
  compute: (context) => linearSetting(8, { name: "momentum", values: momenta }, context),
  sheet: (data, theme) => ({
    title: "Momentum: the noise sees η/(1−m), the curvature η/(1+m)",
    subtitle: [
      `Linear regression, ${data.problem.examples} examples, ${data.problem.params} parameters, batches of ` +
        `${data.problem.batchSize} without replacement, heavy ball; ${data.problem.seeds} seeds.`,
    ],
    columns: 2,
    panels: [
      kernelPanel(data, theme, naming, { label: "η/(1−m) (1/curvature)", of: effective }),
      criticalPanel(data, theme, { label: "momentum m (dimensionless)", domain: [0, 1] }, (m) => m),
      coursePanel(data, theme, naming),
      finalPanel(data, theme, naming),
    ],
  }),
  tables: (data) => settingTables(data, "momentum"),
  settings: ({ problem }) => ({ ...problem, sampling, momenta }),
  checks: (data) => [...settingChecks(data), ...momentumChecks(data)],
};

function momentumChecks({ cases }: SettingData): Check[] {
  // K at the plain run's rate of K = 0.25, read off each curve at the same η/(1−m).
  const at = cases[0]!.edges.find(({ exact }) => exact > 0.25)!.learningRate;
  const read = cases.map(({ edges, value }) => {
    const i = edges.findIndex(({ learningRate }) => effective(learningRate, value) >= at);
    if (i < 1) return NaN;
    const [low, high] = [edges[i - 1]!, edges[i]!];
    const [from, to] = [effective(low.learningRate, value), effective(high.learningRate, value)];
    return low.exact + ((high.exact - low.exact) * (at - from)) / (to - from);
  });
  const spread = (Math.max(...read) - Math.min(...read)) / read[0]!;
  const [plain, heavy] = [cases[0]!, cases.at(-1)!];
  const raised = heavy.critical.deterministic / plain.critical.deterministic;
  const lowered = heavy.critical.exact / plain.critical.exact;
  return [
    {
      claim: "far inside the edge K depends on η and m through η/(1−m) alone (within 15 %)",
      measured: `at η/(1−m) = ${decimals(at, 3)}, K exact from ${decimals(Math.min(...read))} to ${decimals(Math.max(...read))}, ${decimals(100 * spread, 0)} %`,
      holds: spread < 0.15,
    },
    {
      claim: `momentum moves the edges apart: the deterministic one to 1 + m times the rate, the stochastic one down`,
      measured: `m = ${heavy.value}: deterministic × ${decimals(raised)}, K exact = 1 × ${decimals(lowered)}`,
      holds: Math.abs(raised / (1 + heavy.value) - 1) < 1e-9 && lowered < 1,
    },
  ];
}
