import * as Plot from "@observablehq/plot";
import { estimateOf, type Estimate } from "../curvature/estimate.js";
import type { Check, Figure, FigureContext } from "./figure.js";
import { trainingTime } from "./figure-04.js";
import { divergedSettings } from "./grid/diverged.js";
import { spreadAlong } from "./grid/collapse.js";
import { batchPanel, batchSizesOf, endsTable, fineTicks, logDomain, settled } from "./grid/grid-panels.js";
import { rankCorrelation } from "./grid/rank-correlation.js";
import { lastOf, measure, runGrid, type GridResult } from "./grid/run-grid.js";
import { withInterval } from "./numbers.js";

export interface Figure05Data {
  readonly examples: number;
  readonly widths: readonly number[];
  readonly epochs: number;
  readonly runs: readonly GridResult[];
}

const title = "MNIST at fixed epochs: what η/B sets, and what orders the final loss";
const quotient = ({ learningRate, batchSize }: GridResult): number => learningRate / batchSize;
const lossOf = (run: GridResult): number => lastOf(run, "loss/train");
const exactOf = (run: GridResult): number => lastOf(run, "noiseKernel/exact");
const diagonalOf = (run: GridResult): number => lastOf(run, "noiseKernel/diagonal");
const sharpnessOf = (run: GridResult): number => lastOf(run, "sharpness");

/** The paper's figure 5: final K against η/B at fixed epochs, and the final loss against K and against λ_max. */
export const figure05: Figure<Figure05Data> = {
  number: 5,
  name: "figure-05",
  title,
  compute,
  sheet({ examples, widths, epochs, runs }, theme) {
    const done = settled(runs);
    const order = orders(done);
    const kernels = logDomain(done.flatMap((run) => [exactOf(run), diagonalOf(run)]));
    const losses = logDomain(done.map(lossOf));
    const sharp = logDomain(done.map(sharpnessOf));
    const quotients = logDomain(done.map(quotient));
    const perExample = { label: "η/B (1/curvature)", type: "log", domain: quotients } as const;
    const kernel = (label: string) =>
      ({ label, type: "log", domain: kernels, ticks: fineTicks(kernels), tickFormat: String }) as const;
    const loss = {
      label: "final loss, ½ squared error an image",
      type: "log",
      domain: losses,
      ticks: fineTicks(losses),
      tickFormat: String,
    } as const;
    const unit = (mark: typeof Plot.ruleX) => [mark([1], { stroke: theme.edge, strokeWidth: 1.3 })];
    const apart = { joined: false };
    const alongQuotient = (y: (run: GridResult) => number, name: string, title: string) =>
      batchPanel(
        runs,
        { x: quotient, y },
        { title, x: perExample, y: kernel(`${name} (dimensionless)`), marks: unit(Plot.ruleY as typeof Plot.ruleX) },
        theme,
      );
    const lossAgainst = (x: (run: GridResult) => number, name: string) =>
      batchPanel(
        runs,
        { x, y: lossOf },
        { title: `Final loss against ${name}`, x: kernel(`${name} (dimensionless)`), y: loss, marks: unit(Plot.ruleX) },
        theme,
        apart,
      );
    return {
      title,
      subtitle: [
        `MLP 784-${widths.join("-")}-10, tanh, squared loss, ${examples} images, ${seedsOf(runs).length} seeds, every run for ${epochs} epochs. ` +
          "Runs that diverged are left out. Lines: geometric means over seeds.",
        `Rank correlation of the final loss: ${withInterval(order.exact)} with K exact, ${withInterval(order.diagonal)} with the paper’s K, ` +
          `${withInterval(order.sharpness)} with λ_{max}.`,
      ],
      columns: 2,
      panels: [
        alongQuotient(exactOf, "K exact", "K exact at the end"),
        alongQuotient(diagonalOf, "K diagonal", "K diagonal (the paper’s K) at the end"),
        lossAgainst(exactOf, "K exact"),
        lossAgainst(diagonalOf, "K diagonal"),
        batchPanel(
          runs,
          { x: sharpnessOf, y: lossOf },
          {
            title: "Final loss against λ_{max}",
            x: {
              label: "final λ_{max} (1/η)",
              type: "log",
              domain: sharp,
              ticks: fineTicks(sharp),
              tickFormat: String,
            },
            y: loss,
          },
          theme,
          apart,
        ),
        batchPanel(
          runs,
          { x: deterministicOf, y: lossOf },
          {
            title: "Final loss against λ_{max} η/2",
            x: { label: "λ_{max} η/2 (dimensionless)", domain: [0, 1.1] },
            y: loss,
            marks: unit(Plot.ruleX),
          },
          theme,
          apart,
        ),
      ],
    };
  },
  tables({ runs }) {
    const ends = (...keys: string[]) => endsTable(runs, keys);
    return {
      a: ends("noiseKernel/exact", "noiseKernel/exact/standardError"),
      b: ends("noiseKernel/diagonal"),
      c: ends("loss/train", "noiseKernel/exact"),
      d: ends("loss/train", "noiseKernel/diagonal"),
      e: ends("loss/train", "sharpness"),
      f: ends("loss/train", "edge/deterministic"),
    };
  },
  settings: ({ examples, widths, epochs, runs }) => ({
    ...{ examples, widths, epochs, batchSizes: batchSizesOf(runs), seeds: seedsOf(runs) },
    rankCorrelations: orders(settled(runs)),
    diverged: divergedSettings(runs),
  }),
  checks,
};

/**
 * Five seeds. The length is fixed by figure 4, not by what comes out here: the middle η/B of the range trains for figure
 * 4's training time, so runs below it are cut short and those above it have converged.
 */
async function compute({ quick, seed, ...context }: FigureContext): Promise<Figure05Data> {
  const examples = quick ? 256 : 1000;
  const widths = quick ? [64, 64] : [128, 128];
  const batchSizes = quick ? [1, 2, 4, 8] : [1, 2, 4, 8, 16];
  const count = quick ? 9 : 13;
  const quotients = Array.from({ length: count }, (_, i) => (quick ? 0.00125 : 0.0005) * 2 ** (i / 2));
  const epochs = epochsFor(trainingTime(quick), examples, quotients[(count - 1) / 2]!);
  const seeds = Array.from({ length: 5 }, (_, i) => seed + i);
  const runs = batchSizes.flatMap((batchSize) =>
    quotients
      .map((each) => Number((batchSize * each).toPrecision(4)))
      .filter((learningRate) => learningRate < 0.06) // beyond: past twice the deterministic edge at the start
      .map((learningRate) => {
        const steps = Math.ceil((epochs * examples) / batchSize);
        return { learningRate, batchSize, steps, "probes.every": steps };
      }),
  );
  const config = {
    name: quick ? "figure-05-quick" : "figure-05",
    base: { data: { examples, testExamples: 100 }, model: { kind: "mlp", widths }, probes: { measure } },
    runs,
    grid: { seed: seeds },
  };
  return { examples, widths, epochs, runs: await runGrid(config, context) };
}

/** Epochs in which η × steps = time for a run of this η/B: steps = epochs·N/B. */
export const epochsFor = (time: number, examples: number, quotient: number): number =>
  Math.round(time / (examples * quotient));

const seedsOf = (runs: readonly GridResult[]): number[] => [...new Set(runs.map(({ seed }) => seed))];

/** A number of all runs of a seed: its mean over seeds, with a 95 % interval. */
const overSeeds = (runs: readonly GridResult[], of: (runs: readonly GridResult[]) => number): Estimate =>
  estimateOf(seedsOf(runs).map((seed) => of(runs.filter((run) => run.seed === seed))));

/** Of the final loss, over the runs of one seed. */
const correlationWith = (pick: (run: GridResult) => number) => (runs: readonly GridResult[]) =>
  rankCorrelation(runs.map(lossOf), runs.map(pick));

const deterministicOf = (run: GridResult): number => lastOf(run, "edge/deterministic");

/** Rank correlations of the final loss with what might predict it. */
function orders(done: readonly GridResult[]) {
  const with_ = (pick: (run: GridResult) => number) => overSeeds(done, correlationWith(pick));
  return {
    exact: with_(exactOf),
    diagonal: with_(diagonalOf),
    sharpness: with_(sharpnessOf),
    deterministic: with_(deterministicOf),
  };
}

function checks({ runs }: Figure05Data): Check[] {
  const done = settled(runs);
  const order = orders(done);
  const rate = ({ learningRate }: GridResult) => learningRate;
  const spread = (pick: (run: GridResult) => number, of: (run: GridResult) => number) =>
    overSeeds(done, (own) => spreadAlong(own.map((run) => ({ along: pick(run), value: of(run) }))));
  const collapse = (name: string, of: (run: GridResult) => number): Check => {
    const [onQuotient, onRate] = [spread(quotient, of), spread(rate, of)];
    return {
      claim: `final ${name} collapses on η/B: runs of equal η/B differ by less than runs of equal η`,
      measured: `factor ${withInterval(onQuotient)} at equal η/B, ${withInterval(onRate)} at equal η`,
      holds: onQuotient.high < onRate.low,
    };
  };
  const rise = overSeeds(done, (own) => rankCorrelation(own.map(quotient), own.map(exactOf)));
  /** How much larger the size of the loss's rank correlation is with K exact than with something else, seed by seed. */
  const lead = (than: (run: GridResult) => number) =>
    overSeeds(done, (own) => Math.abs(correlationWith(exactOf)(own)) - Math.abs(correlationWith(than)(own)));
  const better = (claim: string, name: string, than: (run: GridResult) => number, other: Estimate): Check => ({
    claim,
    measured:
      `K exact ${withInterval(order.exact)}, the paper’s K ${withInterval(order.diagonal)}, ${name} ${withInterval(other)}; ` +
      `K exact is ahead by ${withInterval(lead(than))} over ${seedsOf(done).length} seeds`,
    holds: lead(than).low > 0,
  });
  return [
    collapse("K exact", exactOf),
    collapse("K diagonal", diagonalOf),
    {
      claim: "final K rises with η/B (rank correlation above 0.8)",
      measured: withInterval(rise),
      holds: rise.low > 0.8,
    },
    better(
      "K orders the final loss better than λ_max does (size of the rank correlation)",
      "λ_max",
      sharpnessOf,
      order.sharpness,
    ),
    better(
      "and better than the distance to the deterministic edge does",
      "λ_max η/2",
      deterministicOf,
      order.deterministic,
    ),
  ];
}
