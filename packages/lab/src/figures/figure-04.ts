import * as Plot from "@observablehq/plot";
import type { Check, Figure, FigureContext } from "./figure.js";
import { divergedSettings } from "./grid/diverged.js";
import { spreadAlong } from "./grid/collapse.js";
import { batchPanel, batchSizesOf, endsTable, fineTicks, logDomain, settled } from "./grid/grid-panels.js";
import { lastOf, measure, runGrid, type GridResult } from "./grid/run-grid.js";
import { decimals } from "./numbers.js";

export interface Figure04Data {
  readonly examples: number;
  readonly widths: readonly number[];
  /** η times the number of steps: the same for every run. */
  readonly time: number;
  readonly runs: readonly GridResult[];
}

/** η times the number of steps of every run. */
export const trainingTime = (quick: boolean): number => (quick ? 60 : 400);

const title = "MNIST: sharpness at convergence follows 2/η at large B, η/B at small B";
/** λ_max hovers about the edge: the mean of the last two measurements, the second a quarter of the run before the end. */
const sharpnessOf = (run: GridResult): number => lastOf(run, "sharpness", 2);
const quotient = ({ learningRate, batchSize }: GridResult): number => learningRate / batchSize;
const edgeRatio = (run: GridResult): number => (sharpnessOf(run) * run.learningRate) / 2;

/** The paper's figure 4: λ_max at convergence against η, with 2/η, and against η/B. */
export const figure04: Figure<Figure04Data> = {
  number: 4,
  name: "figure-04",
  title,
  compute,
  sheet({ examples, widths, time, runs }, theme) {
    const done = settled(runs);
    const rates = logDomain(done.map(({ learningRate }) => learningRate));
    const sharp = logDomain(done.map(sharpnessOf));
    const quotients = logDomain(done.map(quotient));
    const lambda = {
      label: "final λ_{max} (1/η)",
      type: "log",
      domain: sharp,
      ticks: fineTicks(sharp),
      tickFormat: String,
    } as const;
    const rate = {
      label: "learning rate η (1/curvature)",
      type: "log",
      domain: rates,
      ticks: fineTicks(rates),
      tickFormat: String,
    } as const;
    const perExample = { label: "η/B (1/curvature)", type: "log", domain: quotients } as const;
    /** NaN for a full batch, which has no noise, and beyond the deterministic edge, where K is ∞. */
    const k = (key: "exact" | "diagonal") => (run: GridResult) => {
      const value = lastOf(run, `noiseKernel/${key}`);
      return value > 0 && value < Infinity ? value : NaN;
    };
    const noisy = done.filter((run) => !Number.isNaN(k("exact")(run)));
    const kernels = logDomain(
      noisy.flatMap((run) => [lastOf(run, "noiseKernel/exact"), lastOf(run, "noiseKernel/diagonal"), 1]),
    );
    const kernel = (label: string) =>
      ({ label, type: "log", domain: kernels, ticks: fineTicks(kernels), tickFormat: String }) as const;
    const perNoisy = { ...perExample, domain: logDomain(noisy.map(quotient)) };
    const unit = [Plot.ruleY([1], { stroke: theme.edge, strokeWidth: 1.3 })];
    const edge = [0, 1].map((i) => [rates[i]!, 2 / rates[i]!] as [number, number]);
    return {
      title,
      subtitle: [
        `MLP 784-${widths.join("-")}-10, tanh, squared loss, ${examples} images; every run to the same training time, η × steps = ${time}.`,
        "Runs that diverged are left out, and full batches, whose K is 0, where K is shown.",
      ],
      columns: 2,
      panels: [
        batchPanel(
          runs,
          { x: ({ learningRate }) => learningRate, y: sharpnessOf },
          {
            ...{ title: "Sharpness against η", x: rate, y: lambda },
            marks: [Plot.line(edge, { stroke: theme.edge, strokeWidth: 1.6, strokeDasharray: "5 3", clip: true })],
          },
          theme,
          { legend: [{ label: "2/η", colour: theme.edge, symbol: "dashed" }] },
        ),
        batchPanel(
          runs,
          { x: quotient, y: sharpnessOf },
          { title: "Sharpness against η/B", x: perExample, y: lambda },
          theme,
        ),
        batchPanel(
          runs,
          { x: quotient, y: k("exact") },
          { title: "K exact at the end", x: perNoisy, y: kernel("K exact (dimensionless)"), marks: unit },
          theme,
        ),
        batchPanel(
          runs,
          { x: quotient, y: k("diagonal") },
          {
            title: "K diagonal (the paper’s K) at the end",
            x: perNoisy,
            y: kernel("K diagonal (dimensionless)"),
            marks: unit,
          },
          theme,
        ),
      ],
    };
  },
  tables({ runs }) {
    const ends = (...keys: string[]) => endsTable(runs, keys);
    const sharpness = {
      ...ends("sharpness", "edge/deterministic", "loss/train"),
      meanSharpness: runs.map(sharpnessOf),
    };
    return {
      a: sharpness,
      b: sharpness,
      c: ends("noiseKernel/exact", "noiseKernel/exact/standardError"),
      d: ends("noiseKernel/diagonal"),
    };
  },
  settings: ({ examples, widths, time, runs }) => ({
    ...{ examples, widths, time, batchSizes: batchSizesOf(runs) },
    diverged: divergedSettings(runs),
  }),
  checks,
};

async function compute({ quick, seed, ...context }: FigureContext): Promise<Figure04Data> {
  const examples = quick ? 256 : 1000;
  const widths = quick ? [64, 64] : [128, 128];
  const time = trainingTime(quick);
  const batchSizes = quick ? [1, 2, 4, 16, 256] : [1, 2, 4, 8, 32, 1000];
  const count = quick ? 8 : 10;
  // Steps of √2, so that batch sizes which are powers of two share their η/B.
  const learningRates = Array.from({ length: count }, (_, i) =>
    Number(((quick ? 0.005 : 0.0025) * 2 ** (i / 2)).toPrecision(3)),
  );
  const runs = batchSizes.flatMap((batchSize) =>
    learningRates.map((learningRate) => {
      const steps = Math.ceil(time / learningRate);
      return { learningRate, batchSize, steps, "probes.every": Math.ceil(steps / 4) };
    }),
  );
  const config = {
    name: quick ? "figure-04-quick" : "figure-04",
    base: {
      ...{ seed, sampling: "without-replacement" },
      data: { examples, testExamples: 100 },
      model: { kind: "mlp", widths },
      probes: { measure },
    },
    runs,
  };
  return { examples, widths, time, runs: await runGrid(config, context) };
}

/** Where the flattest a run can be at small η is below 2/η, there is no edge to follow. */
function checks({ runs }: Figure04Data): Check[] {
  const done = settled(runs);
  const sizes = batchSizesOf(done);
  const full = done.filter(({ batchSize }) => batchSize === sizes.at(-1));
  const free = sharpnessOf(full[0]!); // at the smallest η the edge is far off
  const bound = full.filter(({ learningRate }) => 2 / learningRate < 0.8 * free);
  const deviations = bound.map((run) => Math.abs(edgeRatio(run) - 1));
  const worst = Math.max(...deviations);
  const small = done.filter(({ batchSize }) => batchSize <= 4);
  const along = (pick: (run: GridResult) => number, of: (run: GridResult) => number) =>
    spreadAlong(small.map((run) => ({ along: pick(run), value: of(run) })));
  const [onQuotient, onRate] = [along(quotient, sharpnessOf), along(({ learningRate }) => learningRate, sharpnessOf)];
  const byRate = (size: number) =>
    done.filter(({ batchSize }) => batchSize === size).sort((a, b) => a.learningRate - b.learningRate);
  const falls = sizes
    .map((size) => byRate(size))
    .filter((group) => sharpnessOf(group[0]!) > sharpnessOf(group.at(-1)!));
  const ratios = small.map(edgeRatio);
  return [
    {
      claim: `at B = ${sizes.at(-1)} the final λ_max lies within 10 % of 2/η, wherever 2/η is below four fifths of what gradient flow reaches`,
      measured:
        `${bound.length} learning rates from ${bound[0]?.learningRate ?? "none"} up, largest deviation ${decimals(100 * worst, 1)} %; ` +
        `gradient flow reaches ${decimals(free, 0)}`,
      holds: bound.length > 0 && worst < 0.1,
    },
    {
      claim:
        "at B ≤ 4 the final λ_max collapses on η/B: runs of equal η/B differ by less than runs of equal η, and by less than a third",
      measured: `factor ${decimals(onQuotient)} at equal η/B, ${decimals(onRate)} at equal η`,
      holds: onQuotient < onRate && onQuotient < 4 / 3,
    },
    {
      claim: "at B ≤ 4 it stays far below 2/η",
      measured: `λ_max η/2 from ${decimals(Math.min(...ratios))} to ${decimals(Math.max(...ratios))}`,
      holds: Math.max(...ratios) < 0.8,
    },
    {
      claim: "at every batch size the final λ_max falls with η",
      measured: sizes
        .map((size) => {
          const group = byRate(size);
          return `B = ${size}: ${decimals(sharpnessOf(group[0]!), 0)} to ${decimals(sharpnessOf(group.at(-1)!), 0)}`;
        })
        .join(", "),
      holds: falls.length === sizes.length,
    },
  ];
}
