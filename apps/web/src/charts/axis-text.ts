import { formatCount, formatDuration, formatSetting } from "../format/number.js";
import type { XAxis } from "../view/view-state.js";

/** What the horizontal axis shows, with its unit. */
export const xLabels: Readonly<Record<XAxis, string>> = {
  step: "step",
  epoch: "epoch (examples drawn / examples in the training set)",
  time: "time since the run's start (s)",
  "training-time": "η · step (learning rate × step)",
};

/** A place on the horizontal axis, in words. */
export function describeX(axis: XAxis, x: number): string {
  switch (axis) {
    case "step":
      return `step ${formatCount(x)}`;
    case "epoch":
      return `epoch ${formatSetting(Number(x.toPrecision(4)))}`;
    case "time":
      return `after ${formatDuration(x)}`;
    case "training-time":
      return `η·step ${formatSetting(Number(x.toPrecision(4)))}`;
  }
}
