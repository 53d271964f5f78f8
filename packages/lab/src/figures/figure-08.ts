import type { Check } from "./figure.js";
import type { SettingData } from "./linear-setting.js";
import { decimals } from "./numbers.js";
import { settingFigure } from "./setting-figure.js";

const effective = (learningRate: number, momentum: number) => learningRate / (1 - momentum);

/** Momentum: near the stochastic edge it acts as the learning rate η/(1−m). */
export const figure08 = settingFigure({
  number: 8,
  title: "Momentum: the noise sees η/(1−m), the curvature η/(1+m)",
  knob: { name: "momentum", values: [0, 0.5, 0.8, 0.9, 0.95] },
  naming: (momentum) => `m = ${momentum}`,
  detail: "heavy ball",
  rate: { label: "η/(1−m) (1/curvature)", of: effective },
  axis: { label: "momentum m (dimensionless)", domain: [0, 1] },
  checks: momentumChecks,
});

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
