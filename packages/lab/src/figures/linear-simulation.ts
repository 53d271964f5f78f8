import * as Plot from "@observablehq/plot";
import {
  diagonalLoss,
  expectedLoss,
  noiseKernel,
  simulateLinearSgd,
  volterraLoss,
  type LinearSystem,
  type NoiseKernel,
  type SgdSettings,
} from "@sedge/theory";
import { breathe, type Check, type FigureContext, type Study } from "./figure.js";
import { decimals, logSteps, quantile } from "./numbers.js";
import type { LegendEntry, Panel } from "./plotting/sheet.js";
import type { Theme } from "./plotting/theme.js";

export interface LinearSimulationProblem {
  readonly system: LinearSystem;
  /** z₀, [N·C]. */
  readonly residual: Float64Array;
  readonly sgd: Omit<SgdSettings, "population">;
  readonly steps: number;
  readonly seeds: number;
  /** Standard deviation of noise on the labels; the theory knows of none. */
  readonly labelNoise: number;
}

export interface LinearSimulationData {
  readonly recordAt: readonly number[];
  /** Over seeds. */
  readonly mean: readonly number[];
  readonly standardError: readonly number[];
  readonly median: readonly number[];
  /** The theory's curves, as far as they apply and are affordable. */
  readonly theory: Readonly<Partial<Record<"exact" | "volterra" | "diagonal", readonly number[]>>>;
  readonly kernel: NoiseKernel;
}

/** The Volterra sum costs steps²: a second or so at this many. */
const mostVolterraSteps = 20_000;
/** Nearer to the edge the loss over seeds is too heavy-tailed for its mean to have an honest error bar. */
export const quietKernel = 0.3;
/** Seed-steps between two looks at the event loop: about a tenth of a second for a hundred examples. */
const sliceSteps = 100_000;
/** At most so many files of finished seeds. */
const mostParts = 20;
/** Seed-steps that are done within a second or two. */
const shortSteps = 1_000_000;

const theoryCurves = [
  { key: "exact", label: "exact expectation", dash: undefined, symbol: "line" },
  { key: "volterra", label: "Volterra (high-dimensional)", dash: "5 3", symbol: "dashed" },
  { key: "diagonal", label: "diagonal (the paper’s dynamics)", dash: "1.5 3", symbol: "dotted" },
] as const;

/** SGD on a linear system for many seeds, beside the theory's loss curves. */
export function linearSimulation(problem: LinearSimulationProblem): Study<LinearSimulationData> {
  const { system, sgd, steps, seeds } = problem;
  return {
    name: "simulate-linear",
    title: "Linear SGD: Monte Carlo beside theory",
    compute: (context) => compute(problem, context),
    settings: ({ kernel }) => ({
      ...{ examples: system.examples, outputs: system.outputs, ...sgd, steps, seeds, labelNoise: problem.labelNoise },
      ...{ lambdaMax: system.lambdaMax, trace: system.trace, kernel },
    }),
    tables: ({ recordAt, mean, standardError, median, theory }) => ({
      a: { step: recordAt, meanLoss: mean, standardError, medianLoss: median, ...prefixed(theory) },
    }),
    checks,
    sheet(data, theme) {
      const [blue, orange, green, purple] = theme.series as [string, string, string, string];
      const colours = { exact: orange, volterra: green, diagonal: purple };
      const drawn = theoryCurves.filter(({ key }) => data.theory[key] !== undefined);
      const curve = (values: readonly number[]) =>
        data.recordAt.flatMap((step, k) =>
          step > 0 && values[k]! > 0 && Number.isFinite(values[k]) ? [[step, values[k]!] as [number, number]] : [],
        );
      const band = data.recordAt.flatMap((step, k) => {
        const [centre, error] = [data.mean[k]!, data.standardError[k]!];
        return step > 0 && Number.isFinite(error)
          ? [{ step, low: Math.max(centre - 2 * error, centre / 10), high: centre + 2 * error }]
          : [];
      });
      const { exact, diagonal, deterministicRatio } = data.kernel;
      return {
        title: "Linear SGD: Monte Carlo beside theory",
        subtitle: [
          `${system.examples} examples, ${system.outputs} output${system.outputs > 1 ? "s" : ""}, B = ${sgd.batchSize}, ` +
            `η = ${Number(sgd.learningRate.toPrecision(4))}, ${seeds} seeds.`,
          `K exact = ${decimals(exact)}, the paper’s K = ${decimals(diagonal)}, λ_{max} η/2 = ${decimals(deterministicRatio)}.`,
        ],
        columns: 2,
        panels: [
          {
            title: "Loss against step",
            legend: [
              { label: "mean over seeds, ± 2 standard errors", colour: blue },
              { label: "median over seeds", colour: theme.mutedInk, symbol: "dashed" },
              ...drawn.map(({ key, label, symbol }): LegendEntry => ({ label, symbol, colour: colours[key] })),
            ],
            x: { label: "step", type: "log", domain: [1, Math.max(10, steps)] },
            y: { label: "loss, ½ mean squared residual", type: "log", domain: lossDomain(data) },
            marks: [
              Plot.areaY(band, { x: "step", y1: "low", y2: "high", fill: blue, fillOpacity: 0.2, clip: true }),
              Plot.line(curve(data.median), {
                stroke: theme.mutedInk,
                strokeWidth: 1.3,
                strokeDasharray: "5 3",
                clip: true,
              }),
              Plot.line(curve(data.mean), { stroke: blue, strokeWidth: 2.2, clip: true }),
              ...drawn.map(({ key, dash }) =>
                Plot.line(curve(data.theory[key]!), {
                  ...{ stroke: colours[key], strokeWidth: 1.7, clip: true },
                  ...(dash !== undefined && { strokeDasharray: dash }),
                }),
              ),
            ],
          },
          ...(data.theory.exact === undefined ? [] : [ratioPanel(data, data.theory.exact, colours, theme)]),
        ],
      };
    },
  };
}

/** Every curve over the exact expectation: what a logarithmic axis hides. */
function ratioPanel(
  { recordAt, mean: means, standardError, theory }: LinearSimulationData,
  exact: readonly number[],
  colours: Readonly<Record<keyof LinearSimulationData["theory"], string>>,
  theme: Theme,
): Panel {
  const blue = theme.series[0]!;
  const ratio = (values: readonly number[]) =>
    recordAt.flatMap((step, k) => {
      const value = values[k]! / exact[k]!;
      return step > 0 && Number.isFinite(value) ? [[step, value] as [number, number]] : [];
    });
  const band = recordAt.flatMap((step, k) => {
    const [centre, error] = [means[k]! / exact[k]!, standardError[k]! / exact[k]!];
    return step > 0 && Number.isFinite(error) ? [{ step, low: centre - 2 * error, high: centre + 2 * error }] : [];
  });
  const drawn = theoryCurves.filter(({ key }) => key !== "exact" && theory[key] !== undefined);
  const others = drawn.flatMap(({ key }) => ratio(theory[key]!).map(([, value]) => value));
  return {
    title: "The same over the exact expectation",
    legend: [
      { label: "mean over seeds, ± 2 standard errors", colour: blue },
      ...drawn.map(({ key, label, symbol }): LegendEntry => ({ label, symbol, colour: colours[key] })),
    ],
    x: { label: "step", type: "log", domain: [1, Math.max(10, recordAt.at(-1)!)] },
    y: {
      label: "ratio (dimensionless)",
      domain: ratioDomain([...band.flatMap(({ low, high }) => [low, high]), ...others]),
    },
    marks: [
      Plot.ruleY([1], { stroke: colours.exact, strokeWidth: 1.7 }),
      Plot.areaY(band, { x: "step", y1: "low", y2: "high", fill: blue, fillOpacity: 0.2, clip: true }),
      Plot.line(ratio(means), { stroke: blue, strokeWidth: 2.2, clip: true }),
      ...drawn.map(({ key, dash }) =>
        Plot.line(ratio(theory[key]!), { stroke: colours[key], strokeWidth: 1.7, strokeDasharray: dash, clip: true }),
      ),
    ],
  };
}

/** Even about 1, no closer than a tenth, no wider than from 0 to 2. */
function ratioDomain(values: readonly number[]): [number, number] {
  const reach = Math.max(0.1, ...values.map((value) => 1.1 * Math.abs(value - 1)));
  const even = Math.min(1, Math.ceil(10 * reach) / 10);
  return [1 - even, 1 + even];
}

async function compute(problem: LinearSimulationProblem, context: FigureContext): Promise<LinearSimulationData> {
  const { system, residual, sgd, steps, seeds, labelNoise } = problem;
  const { seed, onProgress, signal, parts, blocking = (work) => work() } = context;
  const recordAt = logSteps(steps, 120);
  const records = recordAt.length;
  const slice = Math.max(1, Math.floor(sliceSteps / steps));
  const stride = slice * Math.ceil(seeds / slice / mostParts);
  const losses: number[][] = [];
  for (let start = 0; start < seeds; start += stride) {
    const count = Math.min(stride, seeds - start);
    const simulated = async () => {
      const kept: number[][] = [];
      for (let first = start; first < start + count; first += slice) {
        onProgress({ label: "simulating", done: first, total: seeds });
        await breathe(signal);
        const some = Math.min(slice, start + count - first);
        const options = {
          steps,
          seed: `simulate linear, ${seed}`,
          firstSeed: first,
          seeds: some,
          recordAt,
          labelNoise,
        };
        const recorded = simulateLinearSgd(system, residual, sgd, options).losses;
        for (let s = 0; s < some; s++) kept.push(Array.from(recorded.subarray(s * records, (s + 1) * records)));
      }
      return kept;
    };
    // What takes no time is not worth a file.
    const isShort = seeds * steps < shortSteps;
    const { spectrum, examples, outputs, lambdaMax, trace } = system;
    const about = {
      spectrum: Array.from(spectrum),
      modes: checksum(system.modes),
      examples,
      outputs,
      lambdaMax,
      trace,
    };
    const inputs = { version: 1, ...about, residual: Array.from(residual), sgd, steps, labelNoise, seed, start, count };
    losses.push(...(isShort ? await simulated() : await parts.part("simulate-linear", inputs, simulated)));
  }
  onProgress({ label: "theory", done: seeds, total: seeds });
  await breathe(signal);
  const curves = blocking(() => theoryOf(problem));
  await breathe(signal);

  const at = (curve: Float64Array) => recordAt.map((step) => curve[step]!);
  const column = (k: number) => losses.map((run) => run[k]!);
  const means = recordAt.map((_, k) => column(k).reduce((sum, x) => sum + x, 0) / seeds);
  return {
    recordAt,
    mean: means,
    standardError: recordAt.map((_, k) => {
      const squares = column(k).reduce((sum, x) => sum + (x - means[k]!) ** 2, 0);
      return Math.sqrt(squares / (seeds - 1) / seeds);
    }),
    median: recordAt.map((_, k) => quantile(column(k), 0.5)),
    theory: Object.fromEntries(Object.entries(curves).map(([key, curve]) => [key, at(curve)])),
    kernel: noiseKernel(system, sgd),
  };
}

/** The theory's curves, [steps + 1] each: none with label noise, of which it does not know. */
function theoryOf({ system, residual, sgd, steps, labelNoise }: LinearSimulationProblem): Record<string, Float64Array> {
  if (labelNoise > 0) return {};
  return {
    exact: expectedLoss(system, residual, sgd, steps),
    ...(steps <= mostVolterraSteps && { volterra: volterraLoss(system, residual, sgd, steps) }),
    diagonal: diagonalLoss(system, residual, sgd, steps),
  };
}

/** Tells arrays apart: two weighted sums. */
function checksum(values: Float64Array): [number, number] {
  let [plain, weighted] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    plain += values[i]!;
    weighted += values[i]! * Math.sin(i);
  }
  return [plain, weighted];
}

function checks({ recordAt, mean, standardError, theory, kernel }: LinearSimulationData): Check[] {
  const { exact } = theory;
  if (exact === undefined || !(standardError[1]! > 0)) return [];
  const deviations = recordAt.flatMap((step, k) => {
    const deviation = Math.abs(mean[k]! - exact[k]!) / standardError[k]!;
    return step > 0 && Number.isFinite(deviation) ? [deviation] : [];
  });
  if (kernel.exact > quietKernel || deviations.length === 0) return [];
  const worst = Math.max(...deviations);
  return [
    {
      claim: "the mean over seeds agrees with the exact expectation (5 standard errors)",
      measured: `largest deviation ${decimals(worst, 1)} standard errors over ${deviations.length} points`,
      holds: worst < 5,
    },
  ];
}

function prefixed(theory: LinearSimulationData["theory"]): Record<string, readonly number[]> {
  return Object.fromEntries(
    Object.entries(theory).map(([key, values]) => [`theory${key[0]!.toUpperCase()}${key.slice(1)}`, values]),
  );
}

/** Powers of ten about everything that stays in sight: a diverging curve is followed for five of them. */
function lossDomain({ mean, median, theory }: LinearSimulationData): [number, number] {
  const start = mean[0]!;
  const all = [mean, median, ...Object.values(theory)].flat().filter((value) => value > 0 && value < 1e5 * start);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return [10 ** Math.floor(Math.log10(Math.max(low, 1e-16 * start))), 10 ** Math.ceil(Math.log10(high) + 1e-9)];
}
