import type { Check, Figure } from "./figure.js";
import { linearSetting, sampling, type Knob, type SettingData } from "./linear-setting.js";
import {
  coursePanel,
  criticalPanel,
  finalPanel,
  kernelPanel,
  settingChecks,
  settingTables,
  type Naming,
} from "./linear-setting-panels.js";
import type { Axis } from "./plotting/sheet.js";

/** What distinguishes a figure about one setting of SGD from another. */
interface SettingFigure {
  readonly number: number;
  readonly title: string;
  readonly knob: Knob;
  readonly naming: Naming;
  /** Ends the subtitle's account of the runs. */
  readonly detail: string;
  /** The learning rate in the unit that suits the setting. */
  readonly rate: { readonly label: string; readonly of: (learningRate: number, value: number) => number };
  /** Of the setting itself. */
  readonly axis: Axis;
  /** Claims beside those that hold whatever the setting. */
  readonly checks: (data: SettingData) => readonly Check[];
}

/** A figure of linear regression as one setting changes: K, its critical rates, a course, the final loss. */
export function settingFigure({
  number,
  title,
  knob,
  naming,
  detail,
  rate,
  axis,
  checks,
}: SettingFigure): Figure<SettingData> {
  return {
    number,
    name: `figure-0${number}`,
    title,
    compute: (context) => linearSetting(number, knob, context),
    sheet: (data, theme) => {
      const { examples, params, batchSize, seeds } = data.problem;
      return {
        title,
        subtitle: [
          `Linear regression, ${examples} examples, ${params} parameters, batches of ${batchSize} without replacement, ` +
            `${detail}; ${seeds} seeds.`,
        ],
        columns: 2,
        panels: [
          kernelPanel(data, theme, naming, rate),
          criticalPanel(data, theme, axis),
          coursePanel(data, theme, naming),
          finalPanel(data, theme, naming),
        ],
      };
    },
    tables: (data) => settingTables(data, knob.name),
    settings: ({ problem }) => ({ ...problem, sampling, [knob.name]: knob.values }),
    checks: (data) => [...settingChecks(data), ...checks(data)],
  };
}
