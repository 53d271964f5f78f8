import * as Plot from "@observablehq/plot";
import type { Check, Figure, FigureContext } from "./figure.js";
import { divergedSettings } from "./grid/diverged.js";
import { spreadAlong } from "./grid/collapse.js";
import { batchPanel, batchSizesOf, endsTable, fineTicks, logDomain, settled } from "./grid/grid-panels.js";
import { rankCorrelation } from "./grid/rank-correlation.js";
import { lastOf, runGrid, type GridResult } from "./grid/run-grid.js";
import { decimals } from "./numbers.js";

export interface Figure05Data {
  readonly examples: number;
  readonly widths: readonly number[];
  readonly epochs: number;
  readonly runs: readonly GridResult[];
}

const title = "MNIST at fixed epochs: η/B sets K, and K orders the final loss";
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
    const kernels = logDomain(done.flatMap((run) => [exactOf(run), diagonalOf(run)]));
    const losses = logDomain(done.map(lossOf));
    const sharp = logDomain(done.map(sharpnessOf));
    const quotients = logDomain(done.map(quotient));
    const perExample = { label: "η/B", type: "log", domain: quotients } as const;
    const kernel = (label: string) =>
      ({ label, type: "log", domain: kernels, ticks: fineTicks(kernels), tickFormat: String }) as const;
    const loss = {
      label: "final training loss",
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
        `MLP 784-${widths.join("-")}-10, tanh, squared loss, ${examples} images, every run for ${epochs} epochs. Runs that diverged are left out.`,
        `Rank correlation of the final loss: ${decimals(orders(done).exact)} with K exact, ${decimals(orders(done).diagonal)} with the paper’s K, ` +
          `${decimals(orders(done).sharpness)} with λ_{max}.`,
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
          { x: (run) => lastOf(run, "edge/deterministic"), y: lossOf },
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
    ...{ examples, widths, epochs, batchSizes: batchSizesOf(runs), rankCorrelations: orders(settled(runs)) },
    diverged: divergedSettings(runs),
  }),
  checks,
};

async function compute({ quick, seed, ...context }: FigureContext): Promise<Figure05Data> {
  const examples = quick ? 256 : 1000;
  const widths = quick ? [64, 64] : [128, 128];
  const epochs = quick ? 12 : 40;
  const batchSizes = quick ? [1, 2, 4, 8] : [1, 2, 4, 8, 16];
  const seeds = quick ? [seed] : [seed, seed + 1, seed + 2];
  const quotients = Array.from({ length: quick ? 9 : 12 }, (_, i) => (quick ? 0.00125 : 0.0006) * 2 ** (i / 2));
  const runs = batchSizes.flatMap((batchSize) =>
    quotients
      .map((each) => Number((batchSize * each).toPrecision(4)))
      .filter((learningRate) => learningRate < 0.06) // beyond: past twice the deterministic edge at the start
      .flatMap((learningRate) =>
        seeds.map((own) => {
          const steps = Math.ceil((epochs * examples) / batchSize);
          return {
            label: `B = ${batchSize}, η = ${learningRate}`,
            config: {
              ...{ seed: own, learningRate, batchSize, steps },
              data: { examples, testExamples: 100 },
              model: { kind: "mlp" as const, widths },
              probes: { every: steps, measure: ["loss" as const, "sharpness" as const, "noiseKernel" as const] },
            },
          };
        }),
      ),
  );
  return { examples, widths, epochs, runs: await runGrid("figure-05", runs, context) };
}

/** Rank correlations of the final loss with what might predict it. */
function orders(done: readonly GridResult[]) {
  const losses = done.map(lossOf);
  const with_ = (pick: (run: GridResult) => number) => rankCorrelation(losses, done.map(pick));
  return {
    exact: with_(exactOf),
    diagonal: with_(diagonalOf),
    sharpness: with_(sharpnessOf),
    deterministic: with_((run) => lastOf(run, "edge/deterministic")),
  };
}

function checks({ runs }: Figure05Data): Check[] {
  const done = settled(runs);
  const { exact, diagonal, sharpness, deterministic } = orders(done);
  const spread = (pick: (run: GridResult) => number, of: (run: GridResult) => number) =>
    spreadAlong(done.map((run) => ({ along: pick(run), value: of(run) })));
  const rate = ({ learningRate }: GridResult) => learningRate;
  const collapse = (name: string, of: (run: GridResult) => number): Check => ({
    claim: `final ${name} collapses on η/B: runs of equal η/B differ by less than runs of equal η`,
    measured: `factor ${decimals(spread(quotient, of))} at equal η/B, ${decimals(spread(rate, of))} at equal η`,
    holds: spread(quotient, of) < spread(rate, of),
  });
  const rise = rankCorrelation(done.map(quotient), done.map(exactOf));
  return [
    collapse("K exact", exactOf),
    collapse("K diagonal", diagonalOf),
    {
      claim: "final K rises with η/B (rank correlation above 0.8)",
      measured: decimals(rise),
      holds: rise > 0.8,
    },
    {
      claim: "K orders the final loss better than λ_max does (size of the rank correlation)",
      measured: `K exact ${decimals(exact)}, the paper’s K ${decimals(diagonal)}, λ_max ${decimals(sharpness)} over ${done.length} runs`,
      holds: Math.abs(exact) > Math.abs(sharpness),
    },
    {
      claim: "and better than the distance to the deterministic edge does",
      measured: `K exact ${decimals(exact)}, λ_max η/2 ${decimals(deterministic)}`,
      holds: Math.abs(exact) > Math.abs(deterministic),
    },
  ];
}
