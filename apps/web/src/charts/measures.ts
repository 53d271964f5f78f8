import type { RunSummary } from "../api/types.js";
import { descentOf, edgeRate, edgeSharpness } from "../theory/descent.js";
import { formatEstimate, formatShare, formatValue } from "../format/number.js";
import type { ChartId } from "../view/view-state.js";

/** One kind of line on a chart; every shown run has one. The line's style says which measure, its colour which run. */
export interface Measure {
  /** In links. */
  readonly id: string;
  /** Metric key. */
  readonly key: string;
  /** Metric key of the standard error, drawn as a band of ± one. */
  readonly errorKey?: string;
  /** In the legend's head. */
  readonly label: string;
  /** In full, for tooltips and screen readers. */
  readonly title: string;
  readonly dash: readonly number[];
  readonly width: number;
  /** Shown unless switched off: always, while few runs are on screen, or never. */
  readonly shown: "always" | "few-runs" | "on-demand";
  /** Not offered where no run on the chart has it. */
  readonly isRare?: boolean;
}

export interface ChartDefinition {
  readonly id: ChartId;
  readonly title: string;
  readonly subtitle: string;
  /** Of the vertical axis, with the unit. */
  readonly axisLabel: string;
  readonly measures: readonly Measure[];
  /** A line that no stable run stays above, with the region beyond it shaded. */
  readonly edge?: { readonly value: number; readonly label: string };
  /** An edge that differs from run to run, drawn in the run's colour. */
  readonly runEdge?: { readonly label: string; readonly of: (run: RunSummary) => number };
  /** Of the axis on a linear scale, where it is known beforehand. */
  readonly bounds?: readonly [number, number];
  readonly format: (value: number, error?: number) => string;
}

const solid: readonly number[] = [];
const dashed: readonly number[] = [7, 4];
const dotted: readonly number[] = [1.5, 3.5];
const dashDotted: readonly number[] = [9, 3, 1.5, 3];

const plain = (value: number) => formatValue(value);
const estimate = (value: number, error = NaN) => {
  const shown = formatEstimate(value, error);
  return shown.error === null ? shown.value : `${shown.value} ± ${shown.error}`;
};

export const lossChart: ChartDefinition = {
  id: "loss",
  title: "Loss",
  subtitle: "mean over the examples",
  axisLabel: "loss (dimensionless)",
  measures: [
    {
      id: "loss-train",
      key: "loss/train",
      label: "train",
      title: "Loss on the training set",
      dash: solid,
      width: 2,
      shown: "always",
    },
    {
      id: "loss-test",
      key: "loss/test",
      label: "test",
      title: "Loss on the test set",
      dash: dashed,
      width: 1.5,
      shown: "few-runs",
    },
    {
      id: "loss-batch",
      key: "loss/batch",
      label: "batches",
      title: "Mean loss of the minibatches just trained on",
      dash: dotted,
      width: 1.5,
      shown: "on-demand",
    },
  ],
  format: plain,
};

export const edgesChart: ChartDefinition = {
  id: "edges",
  title: "Both edges",
  subtitle: "1 is the edge; beyond it SGD does not converge",
  axisLabel: "distance to the edge (dimensionless)",
  measures: [
    {
      id: "k-exact",
      key: "noiseKernel/exact",
      errorKey: "noiseKernel/exact/standardError",
      label: "K exact",
      title: "Noise kernel norm K, exact, ± one standard error: 1 on the stochastic edge",
      dash: solid,
      width: 2,
      shown: "always",
    },
    {
      id: "k-diagonal",
      key: "noiseKernel/diagonal",
      label: "K diagonal",
      title: "Noise kernel norm K in the paper's diagonal approximation",
      dash: dashed,
      width: 1.5,
      shown: "few-runs",
    },
    {
      id: "k-trace",
      key: "noiseKernel/trace",
      label: "K trace",
      title: "Noise kernel norm K in the trace approximation",
      dash: dotted,
      width: 1.5,
      shown: "on-demand",
    },
    {
      id: "ratio",
      key: "edge/deterministic",
      label: "λ_max·η/2",
      title: "Sharpness relative to the deterministic edge, λ_max·η/2: 1 on the deterministic edge",
      dash: dashDotted,
      width: 1.5,
      shown: "few-runs",
    },
    {
      id: "k-target",
      key: "control/targetNoiseKernel",
      label: "target K",
      title: "The K that the run's controller aims for",
      dash: [2, 2],
      width: 1.5,
      shown: "few-runs",
      isRare: true,
    },
  ],
  edge: { value: 1, label: "edge = 1" },
  format: estimate,
};

/** Where theory's loss curve is kept beside the measured metrics. */
export const predictedLossKey = "theory/loss";

/** The loss of one run with theory's curve beside it. */
export const runLossChart: ChartDefinition = {
  ...lossChart,
  measures: [
    ...lossChart.measures,
    {
      id: "loss-theory",
      key: predictedLossKey,
      label: "theory",
      title: "Expected loss of SGD on the run's linearisation at one of its probes",
      dash: [3, 2.5],
      width: 2,
      shown: "always",
      isRare: true,
    },
  ],
};

/** The deterministic edge of λ_max: 2(1 + m)/η for momentum m. NaN where η and λ_max alone do not tell it. */
export function sharpnessEdge({ config }: RunSummary): number {
  const descent = descentOf(config);
  return config.learningRate === undefined || descent === null ? NaN : edgeSharpness(descent, config.learningRate);
}

export const sharpnessChart: ChartDefinition = {
  id: "sharpness",
  title: "Sharpness",
  subtitle: "largest eigenvalue of the Hessian",
  axisLabel: "λ_max (1/learning rate)",
  measures: [
    {
      id: "sharpness",
      key: "sharpness",
      errorKey: "sharpness/ritzResidual",
      label: "λ_max",
      title: "Largest eigenvalue of the Hessian of the training loss, ± the Ritz residual",
      dash: solid,
      width: 2,
      shown: "always",
    },
  ],
  runEdge: { label: "2/η", of: sharpnessEdge },
  format: plain,
};

export const sharpnessRatioChart: ChartDefinition = {
  ...sharpnessChart,
  subtitle: "relative to the deterministic edge",
  axisLabel: "λ_max·η/2 (dimensionless)",
  measures: [
    {
      id: "ratio-alone",
      key: "edge/deterministic",
      label: "λ_max·η/2",
      title: "Sharpness relative to the deterministic edge, λ_max·η/2",
      dash: solid,
      width: 2,
      shown: "always",
    },
  ],
  edge: { value: 1, label: "deterministic edge = 1" },
  runEdge: undefined,
};

export const accuracyChart: ChartDefinition = {
  id: "accuracy",
  title: "Accuracy",
  subtitle: "share of examples classified correctly",
  axisLabel: "accuracy (share)",
  measures: [
    {
      id: "accuracy-train",
      key: "accuracy/train",
      label: "train",
      title: "Accuracy on the training set",
      dash: solid,
      width: 2,
      shown: "always",
    },
    {
      id: "accuracy-test",
      key: "accuracy/test",
      label: "test",
      title: "Accuracy on the test set",
      dash: dashed,
      width: 1.5,
      shown: "few-runs",
    },
  ],
  bounds: [0, 1],
  format: formatShare,
};

/** What a controller aims for and what it sees. */
export const controlChart: ChartDefinition = {
  id: "control",
  title: "Controlled K",
  subtitle: "what the controller aims for, and what it measures",
  axisLabel: "noise kernel norm K (dimensionless)",
  measures: [
    {
      id: "control-kernel",
      key: "control/noiseKernel",
      label: "K seen",
      title: "Noise kernel norm K as the controller's own probe measures it",
      dash: solid,
      width: 2,
      shown: "always",
    },
    {
      id: "control-target",
      key: "control/targetNoiseKernel",
      label: "target K",
      title: "The K that the controller aims for",
      dash: dashed,
      width: 1.5,
      shown: "always",
    },
    {
      id: "control-ratio",
      key: "control/deterministic",
      label: "λ_max·η/2",
      title: "Distance to the deterministic edge as the controller sees it",
      dash: dashDotted,
      width: 1.5,
      shown: "on-demand",
    },
  ],
  edge: { value: 1, label: "edge = 1" },
  format: plain,
};

/** η on the deterministic edge of the run's last λ_max. NaN where it is not known. */
function criticalRate({ config, latest }: RunSummary): number {
  const descent = descentOf(config);
  return descent === null ? NaN : edgeRate(descent, latest["sharpness"] ?? NaN);
}

/** The settings that a controller or a schedule moves. */
export const ratesChart: ChartDefinition = {
  id: "rates",
  title: "Learning rate and batch size",
  subtitle: "as they were used; 2/λ_max as last measured",
  axisLabel: "η (1/λ), B (examples)",
  measures: [
    {
      id: "learning-rate",
      key: "learningRate",
      label: "η",
      title: "Learning rate",
      dash: solid,
      width: 2,
      shown: "always",
    },
    {
      id: "batch-size",
      key: "batchSize",
      label: "B",
      title: "Batch size",
      dash: dashed,
      width: 1.5,
      shown: "on-demand",
    },
  ],
  runEdge: { label: "critical η, 2/λmax", of: criticalRate },
  format: plain,
};

const all = [lossChart, edgesChart, sharpnessChart, sharpnessRatioChart, accuracyChart, controlChart, ratesChart];

/** The metrics that the page keeps histories of. */
export const chartedKeys: readonly string[] = [
  ...new Set(
    all.flatMap(({ measures }) => measures.flatMap(({ key, errorKey }) => (errorKey ? [key, errorKey] : [key]))),
  ),
];

/**
 * What a first look at many runs brings, one read after the other: of the charts at the top of the page the line that is
 * drawn however many runs there are, then that of the others.
 */
export const glanceKeys: readonly (readonly string[])[] = [
  [edgesChart, lossChart],
  [sharpnessChart, accuracyChart],
].map((charts) => charts.map(({ measures }) => measures[0]!.key));

/** So many runs can still be told apart with several line styles each. */
const fewRuns = 6;

export function shownMeasures(
  definition: ChartDefinition,
  switched: ReadonlyMap<string, boolean>,
  runsShown: number,
): Measure[] {
  return definition.measures.filter(
    ({ id, shown }) => switched.get(id) ?? (shown === "always" || (shown === "few-runs" && runsShown <= fewRuns)),
  );
}
