import type { Check, Figure, FigureContext } from "./figure.js";
import { coursePanel, coursesTable, logDomain } from "./grid/grid-panels.js";
import { firstOf, lastOf, measure, pointsOf, runGrid, type GridResult } from "./grid/run-grid.js";
import { decimals } from "./numbers.js";

export interface Figure03Data {
  readonly examples: number;
  readonly widths: readonly number[];
  readonly steps: number;
  readonly probeExamples: number;
  readonly runs: readonly GridResult[];
}

const title = "MNIST, B = 1: the learning rate decides when K comes below 1";
const keys = ["loss/train", "noiseKernel/exact", "noiseKernel/diagonal", "edge/deterministic"] as const;
const [loss, exact, diagonal, deterministic] = keys;

/** The paper's figure 3: a fully connected network on MNIST at B = 1, loss and K against time at several learning rates. */
export const figure03: Figure<Figure03Data> = {
  number: 3,
  name: "figure-03",
  title,
  compute,
  sheet({ examples, widths, steps, probeExamples, runs }, theme) {
    const losses = runs.flatMap((run) => pointsOf(run, loss).map(([, value]) => value)).filter((value) => value < 100);
    const kernel = {
      label: "K (dimensionless)",
      type: "log",
      domain: [0.05, 8],
      ticks: [0.1, 0.2, 0.5, 1, 2, 5],
      tickFormat: String,
    } as const;
    return {
      title,
      subtitle: [
        `MLP 784-${widths.join("-")}-10, tanh, squared loss, ${examples} images, B = 1 with replacement, ${steps.toLocaleString("en-GB")} steps; ` +
          `K on ${probeExamples} of the images.`,
        "Triangles at the upper edge: beyond the panel; K is ∞ where the deterministic edge is crossed.",
      ],
      columns: 2,
      panels: [
        coursePanel(
          runs,
          loss,
          {
            title: "Training loss",
            y: { label: "loss, ½ squared error an image", type: "log", domain: logDomain(losses) },
          },
          theme,
        ),
        coursePanel(runs, exact, { title: "K exact", edge: 1, y: kernel }, theme),
        coursePanel(
          runs,
          deterministic,
          {
            title: "Distance to the deterministic edge",
            edge: 1,
            y: {
              label: "λ_{max} η/2 (dimensionless)",
              type: "log",
              domain: [0.03, 3],
              ticks: [0.05, 0.1, 0.2, 0.5, 1, 2],
              tickFormat: String,
            },
          },
          theme,
        ),
        coursePanel(runs, diagonal, { title: "K diagonal (the paper’s K)", edge: 1, y: kernel }, theme),
      ],
    };
  },
  tables: ({ runs }) => ({
    a: coursesTable(runs, [loss]),
    b: coursesTable(runs, [exact, "noiseKernel/exact/standardError"]),
    c: coursesTable(runs, [deterministic]),
    d: coursesTable(runs, [diagonal]),
  }),
  settings: ({ runs, ...settings }) => ({ ...settings, learningRates: runs.map(({ learningRate }) => learningRate) }),
  checks,
};

async function compute({ quick, seed, ...context }: FigureContext): Promise<Figure03Data> {
  const examples = quick ? 500 : 1000;
  const widths = [128, 128];
  const steps = quick ? 6000 : 100_000;
  const probeExamples = 64;
  const learningRates = quick ? [0.001, 0.003, 0.01, 0.02, 0.03] : [0.001, 0.002, 0.004, 0.008, 0.015, 0.02, 0.03];
  const runs = await runGrid(
    {
      name: quick ? "figure-03-quick" : "figure-03",
      base: {
        ...{ seed, batchSize: 1, steps },
        data: { examples, testExamples: 500 },
        model: { kind: "mlp", widths },
        probes: { count: quick ? 18 : 40, examples: probeExamples, measure },
      },
      grid: { learningRate: learningRates },
    },
    context,
  );
  return { examples, widths, steps, probeExamples, runs };
}

function checks({ runs }: Figure03Data): Check[] {
  const finished = runs.filter(({ status }) => status === "finished");
  const [small, large] = [finished[0]!, finished.at(-1)!];
  const middle = finished.find((run) => firstOf(run, exact) > 1 && lastOf(run, exact) < 1) ?? large;
  const mostSmall = Math.max(...valuesOf(small, exact));
  const aboveOne = (run: GridResult) => {
    const crossed = pointsOf(run, exact).filter(([, k]) => k >= 1);
    return crossed.at(-1)?.[0] ?? 0;
  };
  const early = (run: GridResult) => pointsOf(run, loss).find(([step]) => step >= run.step / 100)!;
  const pairs = runs.flatMap((run) =>
    valuesOf(run, exact)
      .map((k, i) => [k, valuesOf(run, diagonal)[i]!] as const)
      .filter(([k]) => Number.isFinite(k)),
  );
  const worst = Math.max(...pairs.map(([k, d]) => d / k));
  return [
    {
      claim: `small η (${small.learningRate}): K stays far below 1, and the loss ends highest`,
      measured:
        `largest K ${decimals(mostSmall)}; final loss ${decimals(lastOf(small, loss), 4)} against ` +
        `${finished
          .slice(1)
          .map((run) => decimals(lastOf(run, loss), 4))
          .join(", ")}`,
      holds: mostSmall < 0.5 && finished.slice(1).every((run) => lastOf(run, loss) < lastOf(small, loss)),
    },
    {
      claim: `middle η (${middle.learningRate}): K starts above 1, falls, and settles below`,
      measured: `K ${decimals(firstOf(middle, exact))} at the start, above 1 until step ${aboveOne(middle)}, ${decimals(lastOf(middle, exact))} at the end`,
      holds: firstOf(middle, exact) > 1 && aboveOne(middle) < middle.step / 2 && lastOf(middle, exact) < 0.9,
    },
    {
      claim: `large η (${large.learningRate}): K stays at or above 1 for longer than at the middle one`,
      measured: `last above 1 at step ${aboveOne(large)} against ${aboveOne(middle)}; ${decimals(lastOf(large, exact))} at the end`,
      holds: aboveOne(large) > 3 * aboveOne(middle) && lastOf(large, exact) > lastOf(middle, exact),
    },
    {
      claim: "and while it does, the loss falls more slowly",
      measured: `loss at step ${early(large)[0]}: ${decimals(early(large)[1], 3)} against ${decimals(early(middle)[1], 3)}`,
      holds: early(large)[1] > early(middle)[1],
    },
    {
      claim: "K_diagonal ≤ K_exact wherever both are finite",
      measured: `K_diagonal/K_exact at most ${decimals(worst)} in ${pairs.length} measurements`,
      holds: worst <= 1 + 1e-6, // both are eigenvalues of float32 kernels, converged to better than this
    },
  ];
}

const valuesOf = ({ series }: GridResult, key: string): readonly number[] => series[key]?.values ?? [];
