import * as Plot from "@observablehq/plot";
import { createRandom, eigvalsh, multiply } from "@sedge/linalg";
import {
  criticalLearningRate,
  expectedLoss,
  linearSystem,
  noiseKernel,
  samplingCoefficients,
  simulateLinearSgd,
  spectralRadius,
  type LinearSystem,
} from "@sedge/theory";
import { breathe, type Check, type DataTable, type Figure, type FigureContext } from "./figure.js";
import type { LegendEntry, Panel } from "./plotting/sheet.js";
import { rampColour, type Theme } from "./plotting/theme.js";
import { quietKernel } from "./linear-simulation.js";
import { decimals, logSteps, mean, quantile, scientific, standardErrorOfMean } from "./numbers.js";

/** A run at one learning rate: simulated, and its exact expectation, at the recorded steps. */
interface Trajectory {
  readonly learningRate: number;
  readonly kExact: number;
  readonly kDiagonal: number;
  /** Mean over seeds of the loss. `Infinity` where a seed overflowed. */
  readonly meanLoss: readonly number[];
  readonly standardError: readonly number[];
  readonly medianLoss: readonly number[];
  readonly expectedLoss: readonly number[];
}

/** Everything the theory says at one learning rate. */
interface Edge {
  readonly learningRate: number;
  readonly kExact: number;
  readonly kDiagonal: number;
  readonly kHighDim: number;
  readonly kTrace: number;
  readonly deterministicRatio: number;
  /** Spectral radius of the exact second-moment operator. */
  readonly growthExact: number;
  /** λ_max(A + B): of the paper's diagonal dynamics. */
  readonly growthDiagonal: number;
}

export interface Figure01Data {
  readonly problem: { examples: number; params: number; batchSize: number; steps: number; seeds: number; seed: number };
  readonly recordAt: readonly number[];
  readonly trajectories: readonly Trajectory[];
  readonly edges: readonly Edge[];
  /** Where K exact = 1, where the paper’s K = 1, and the deterministic edge. */
  readonly critical: { exact: number; diagonal: number; deterministic: number };
  /** The radii at those two points. */
  readonly growthAtCritical: { exact: number; diagonal: number };
}

const batchSize = 5;
const sampling = "without-replacement";
const settingsAt = (learningRate: number) => ({ learningRate, batchSize, sampling }) as const;
/** K exact of the runs whose whole course is shown. */
const shownTargets = [0.25, 0.5, 0.75, 0.95, 1.1, 1.3];
/** Losses above this are drawn at it. */
const clip = 10;

/** The paper's figure 1: linear regression, where K = 1 is the edge of convergence. */
export const figure01: Figure<Figure01Data> = {
  number: 1,
  name: "figure-01",
  title: "Linear regression: SGD converges up to K = 1",
  compute,
  sheet: (data, theme) => ({
    title: "Linear regression: SGD converges up to K = 1",
    subtitle: [
      `${data.problem.examples} examples, ${data.problem.params} parameters, i.i.d. Gaussian Jacobian, batches of ` +
        `${data.problem.batchSize} without replacement; means over ${data.problem.seeds} seeds.`,
    ],
    columns: 2,
    panels: [
      trajectoriesPanel(data, theme),
      kernelPanel(data, theme),
      growthPanel(data, theme),
      finalLossPanel(data, theme),
    ],
  }),
  tables,
  settings: ({ problem, critical, growthAtCritical }) => ({ ...problem, sampling, critical, growthAtCritical }),
  checks,
};

async function compute({ quick, seed, parts, onProgress, signal }: FigureContext): Promise<Figure01Data> {
  const problem = quick
    ? { examples: 100, params: 120, batchSize, steps: 2000, seeds: 32, seed }
    : { examples: 100, params: 120, batchSize, steps: 10_000, seeds: 100, seed };
  const { examples, params, steps, seeds } = problem;
  const random = createRandom(`figure 1, ${seed}`);
  const jacobian = random.fork("jacobian").normals(examples * params);
  const residual = random.fork("residual").normals(examples);
  const system = linearSystem({ jacobian, examples, outputs: 1 });
  const recordAt = logSteps(steps, quick ? 40 : 80);

  const critical = {
    exact: criticalLearningRate(system, { batchSize, sampling, norm: "exact" }).value,
    diagonal: criticalLearningRate(system, { batchSize, sampling, norm: "diagonal" }).value,
    deterministic: criticalLearningRate(system, { batchSize, sampling, norm: "deterministic" }).value,
  };
  const overlaps = squaredOverlaps(system);
  const growthAtCritical = {
    exact: spectralRadius(system, settingsAt(critical.exact)),
    diagonal: diagonalGrowth(system, overlaps, critical.diagonal),
  };

  // Learning rates for the final loss: even in K exact, dense about the edge, and the shown ones among them.
  const targets = quick
    ? [0.1, 0.25, 0.5, 0.75, 0.85, 0.95, 1.02, 1.1, 1.3]
    : [
        0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.2,
        1.3,
      ];
  const trajectories: Trajectory[] = [];
  for (const [i, target] of targets.entries()) {
    onProgress({ label: `K = ${target}`, done: i, total: targets.length });
    await breathe(signal);
    const inputs = { version: 1, problem, target, recordAt };
    trajectories.push(await parts.part("figure-01-run", inputs, () => runAt(target)));
  }
  onProgress({ label: "drawing", done: targets.length, total: targets.length });

  // Even up to well past the edge, and dense about where the two cross: there the curves have a kink.
  const rates = [
    ...Array.from({ length: 41 }, (_, i) => (1.35 * critical.exact * (i + 1)) / 41),
    ...Array.from(
      { length: 41 },
      (_, i) => critical.exact * 0.98 + ((1.04 * critical.diagonal - 0.98 * critical.exact) * i) / 40,
    ),
  ].sort((a, b) => a - b);
  const edges = rates.map((learningRate) => {
    const { exact, diagonal, highDim, trace, deterministicRatio } = noiseKernel(system, settingsAt(learningRate));
    return {
      learningRate,
      kExact: exact,
      kDiagonal: diagonal,
      kHighDim: highDim,
      kTrace: trace,
      deterministicRatio,
      growthExact: spectralRadius(system, settingsAt(learningRate)),
      growthDiagonal: diagonalGrowth(system, overlaps, learningRate),
    };
  });
  return { problem, recordAt, trajectories, edges, critical, growthAtCritical };

  async function runAt(target: number): Promise<Trajectory> {
    const learningRate = criticalLearningRate(system, { batchSize, sampling, norm: "exact", target }).value;
    const settings = settingsAt(learningRate);
    const { exact, diagonal } = noiseKernel(system, settings);
    const losses: Float64Array[] = [];
    // In slices, so that Ctrl-C and progress get through. A seed draws the same in any of them, and the same at every
    // learning rate: neighbouring points share their luck, and the curve is smooth.
    const slice = Math.max(1, Math.floor(200_000 / steps));
    for (let first = 0; first < seeds; first += slice) {
      await breathe(signal);
      const count = Math.min(slice, seeds - first);
      const options = { steps, seed: `figure 1, ${seed}`, firstSeed: first, seeds: count, recordAt };
      const { losses: recorded } = simulateLinearSgd(system, residual, settings, options);
      for (let s = 0; s < count; s++) losses.push(recorded.slice(s * recordAt.length, (s + 1) * recordAt.length));
    }
    await breathe(signal);
    const expected = expectedLoss(system, residual, settings, steps);
    const at = (statistic: (values: number[]) => number) =>
      recordAt.map((_, k) => statistic(losses.map((run) => run[k]!)));
    return {
      learningRate,
      kExact: exact,
      kDiagonal: diagonal,
      meanLoss: at(mean),
      standardError: at(standardErrorOfMean),
      medianLoss: at((values) => quantile(values, 0.5)),
      expectedLoss: recordAt.map((step) => expected[step]!),
    };
  }
}

/** C_μν = Σ_i v²_μi v²_νi, [rank, rank]: how the modes share the examples. */
function squaredOverlaps({ examples, rank, modes }: LinearSystem): Float64Array {
  const squares = modes.map((x) => x * x);
  return multiply(squares, squares, { rows: rank, inner: examples, columns: rank, transposeA: true });
}

/**
 * λ_max(A + B) of the paper's dynamics s' = (A + B)s of s = diag(VᵀΣV): A = (1−ηλ)² + η²(κ−1)λ², B = η²c ΛCΛ. Written here
 * from the definition, beside the norm in @sedge/theory that it is to agree with.
 */
function diagonalGrowth({ examples, rank, eigenvalues }: LinearSystem, overlaps: Float64Array, eta: number): number {
  const { kappa, c } = samplingCoefficients(sampling, examples, batchSize);
  const matrix = overlaps.slice();
  for (let mu = 0; mu < rank; mu++) {
    for (let nu = 0; nu < rank; nu++) matrix[mu * rank + nu]! *= eta * eta * c * eigenvalues[mu]! * eigenvalues[nu]!;
    const p = eta * eigenvalues[mu]!;
    matrix[mu * rank + mu]! += (1 - p) ** 2 + (kappa - 1) * p * p;
  }
  return eigvalsh(matrix, rank)[rank - 1]!;
}

const isShown = ({ kExact }: Trajectory) => shownTargets.some((target) => Math.abs(kExact / target - 1) < 1e-6);

function trajectoriesPanel({ trajectories, recordAt, problem }: Figure01Data, theme: Theme): Panel {
  const shown = trajectories.filter(isShown);
  const colour = (i: number) => rampColour(theme, i, shown.length);
  const course = (losses: readonly number[]) =>
    recordAt.flatMap((step, k) => (step > 0 && losses[k]! < 1e3 ? [[step, losses[k]!] as [number, number]] : []));
  return {
    title: "Loss against step",
    legend: [
      ...shown.map(({ learningRate, kExact }, i): LegendEntry => ({
        label: `η = ${learningRate.toFixed(3)}, K_{exact} = ${decimals(kExact)}`,
        colour: colour(i),
      })),
      { label: "exact expectation", colour: theme.ink, symbol: "dotted" },
    ],
    x: { label: "step", type: "log", domain: [1, problem.steps] },
    y: { label: "loss, ½ mean squared residual", type: "log", domain: lossDomain(trajectories) },
    marks: shown.flatMap(({ meanLoss, expectedLoss: expected }, i) => [
      Plot.line(course(meanLoss), { stroke: colour(i), strokeWidth: 2, clip: true }),
      Plot.line(course(expected), { stroke: theme.ink, strokeWidth: 1.3, strokeDasharray: "1.5 3", clip: true }),
    ]),
  };
}

function kernelPanel({ edges, critical }: Figure01Data, theme: Theme): Panel {
  const [blue, orange, green, purple, grey] = theme.series as [string, string, string, string, string];
  const curves: readonly (readonly [keyof Edge, string, string, LegendEntry["symbol"]])[] = [
    ["kExact", "K exact", blue, "line"],
    ["kDiagonal", "K diagonal (the paper’s K)", orange, "line"],
    ["kHighDim", "K high-dimensional", green, "dashed"],
    ["kTrace", "K trace", purple, "dotted"],
    ["deterministicRatio", "λ_{max} η/2", grey, "dashed"],
  ];
  return {
    title: "Both edges against learning rate",
    legend: curves.map(([, label, colour, symbol]): LegendEntry => ({ label, colour, symbol: symbol! })),
    x: { label: "learning rate η (1/curvature)", domain: [0, edges.at(-1)!.learningRate] },
    y: { label: "distance to the edge (dimensionless)", domain: [0, 1.5] },
    marks: [
      Plot.ruleY([1], { stroke: theme.edge, strokeWidth: 1.3 }),
      ...verticals(critical, theme),
      ...curves.map(([key, , colour, symbol]) =>
        Plot.line(
          edges.map((edge) => [edge.learningRate, edge[key]] as [number, number]),
          {
            stroke: colour,
            strokeWidth: symbol === "line" ? 2.2 : 1.6,
            ...(symbol !== "line" && { strokeDasharray: symbol === "dashed" ? "5 3" : "1.5 3" }),
            clip: true,
          },
        ),
      ),
    ],
  };
}

function growthPanel({ edges, critical }: Figure01Data, theme: Theme): Panel {
  const [blue, orange] = theme.series as [string, string];
  const curve = (key: "growthExact" | "growthDiagonal") =>
    edges.map((edge) => [edge.learningRate, 1000 * (edge[key] - 1)] as [number, number]);
  // Near the edge, where the two differ: what decays is slow, and what grows soon leaves the panel.
  const least = 1000 * (Math.min(...edges.map(({ growthExact }) => growthExact)) - 1);
  return {
    title: "Growth of the squared residual a step, in the end",
    legend: [
      { label: "exact second moment, ρ − 1", colour: blue },
      { label: "the paper’s λ_{max}(A+B) − 1", colour: orange },
    ],
    x: { label: "learning rate η (1/curvature)", domain: [0, edges.at(-1)!.learningRate] },
    y: { label: "growth rate (10^{−3} a step)", domain: [1.8 * least, -5 * least] },
    marks: [
      Plot.ruleY([0], { stroke: theme.edge, strokeWidth: 1.3 }),
      ...verticals(critical, theme),
      Plot.line(curve("growthDiagonal"), { stroke: orange, strokeWidth: 2.2, clip: true }),
      Plot.line(curve("growthExact"), { stroke: blue, strokeWidth: 2.2, clip: true }),
    ],
  };
}

/** Where each K is 1, in that K's colour. */
function verticals({ exact, diagonal }: Figure01Data["critical"], theme: Theme): Plot.Markish[] {
  return [exact, diagonal].map((at, i) =>
    Plot.ruleX([at], { stroke: theme.series[i]!, strokeWidth: 1, strokeDasharray: "2 3" }),
  );
}

function finalLossPanel({ trajectories, problem }: Figure01Data, theme: Theme): Panel {
  const [blue, orange] = theme.series as [string, string];
  const points = (key: "kExact" | "kDiagonal") =>
    trajectories.map((run) => ({ k: run[key], loss: run.meanLoss.at(-1)! }));
  const inside = (point: { loss: number }) => point.loss < clip;
  const beyond = (point: { loss: number }) => !inside(point);
  const expected = trajectories.map(
    (run) => [run.kExact, Math.min(clip, run.expectedLoss.at(-1)!)] as [number, number],
  );
  return {
    title: `Loss after ${problem.steps.toLocaleString("en-GB")} steps against K`,
    legend: [
      { label: "against K exact", colour: blue, symbol: "dot" },
      { label: "against the paper’s K", colour: orange, symbol: "ring" },
      { label: "exact expectation", colour: blue, symbol: "dotted" },
      { label: `triangles: above ${clip}`, colour: theme.mutedInk, symbol: "triangle" },
    ],
    x: { label: "K (dimensionless)", domain: [0, 1.4] },
    y: { label: "loss, clipped at 10", type: "log", domain: lossDomain(trajectories) },
    marks: [
      Plot.ruleX([1], { stroke: theme.edge, strokeWidth: 1.3 }),
      Plot.line(expected, { stroke: blue, strokeWidth: 1.6, strokeDasharray: "1.5 3", clip: true }),
      Plot.dot(points("kDiagonal").filter(inside), { x: "k", y: "loss", r: 3.4, stroke: orange, strokeWidth: 1.6 }),
      Plot.dot(points("kExact").filter(inside), { x: "k", y: "loss", r: 3.4, fill: blue }),
      Plot.dot(points("kDiagonal").filter(beyond), {
        x: "k",
        y: () => clip,
        r: 4,
        symbol: "triangle",
        stroke: orange,
        strokeWidth: 1.6,
      }),
      Plot.dot(points("kExact").filter(beyond), { x: "k", y: () => clip, r: 4, symbol: "triangle", fill: blue }),
    ],
  };
}

/** From the smallest final loss to the clip, whole powers of ten. */
function lossDomain(trajectories: readonly Trajectory[]): [number, number] {
  const least = Math.min(
    ...trajectories.flatMap(({ meanLoss, expectedLoss: expected }) => [meanLoss.at(-1)!, expected.at(-1)!]),
  );
  return [10 ** Math.floor(Math.log10(least)), clip * 1.6];
}

function tables({ trajectories, edges, recordAt }: Figure01Data): Record<string, DataTable> {
  const shown = trajectories.filter(isShown);
  const long = (pick: (run: Trajectory, k: number) => number | string) =>
    shown.flatMap((run) => recordAt.map((_, k) => pick(run, k)));
  const columns = <T extends object>(rows: readonly T[], keys: readonly (keyof T & string)[]): DataTable =>
    Object.fromEntries(keys.map((key) => [key, rows.map((row) => row[key] as number)]));
  return {
    a: {
      learningRate: long((run) => run.learningRate),
      kExact: long((run) => run.kExact),
      step: long((_, k) => recordAt[k]!),
      meanLoss: long((run, k) => run.meanLoss[k]!),
      standardError: long((run, k) => run.standardError[k]!),
      medianLoss: long((run, k) => run.medianLoss[k]!),
      expectedLoss: long((run, k) => run.expectedLoss[k]!),
    },
    b: columns(edges, ["learningRate", "kExact", "kDiagonal", "kHighDim", "kTrace", "deterministicRatio"]),
    c: columns(edges, ["learningRate", "growthExact", "growthDiagonal"]),
    d: {
      learningRate: trajectories.map((run) => run.learningRate),
      kExact: trajectories.map((run) => run.kExact),
      kDiagonal: trajectories.map((run) => run.kDiagonal),
      meanLoss: trajectories.map((run) => run.meanLoss.at(-1)!),
      standardError: trajectories.map((run) => run.standardError.at(-1)!),
      expectedLoss: trajectories.map((run) => run.expectedLoss.at(-1)!),
    },
  };
}

function checks({ trajectories, edges, critical, growthAtCritical, recordAt, problem }: Figure01Data): Check[] {
  const start = trajectories[0]!.expectedLoss[0]!;
  const ordered = edges.every(({ kHighDim, kDiagonal, kExact }) => kHighDim <= kDiagonal && kDiagonal <= kExact);
  const tightest = Math.min(...edges.map(({ kExact, kDiagonal }) => kDiagonal / kExact));

  const quiet = trajectories.filter(({ kExact }) => kExact <= quietKernel);
  const deviations = quiet.flatMap(({ meanLoss, standardError, expectedLoss: expected }) =>
    recordAt.flatMap((step, k) => (step > 0 ? [Math.abs(meanLoss[k]! - expected[k]!) / standardError[k]!] : [])),
  );
  const worst = Math.max(...deviations);

  const finals = trajectories.map((run) => ({ k: run.kExact, loss: run.expectedLoss.at(-1)! }));
  const best = finals.reduce((least, point) => (point.loss < least.loss ? point : least));
  const beyond = finals.filter(({ k }) => k > 1);
  const inside = finals.filter(({ k }) => k < 0.9);
  const diagonalAtEdge = edges.reduce((nearest, edge) =>
    Math.abs(edge.kExact - 1) < Math.abs(nearest.kExact - 1) ? edge : nearest,
  );
  return [
    {
      claim: "K_highDim ≤ K_diagonal ≤ K_exact at every learning rate",
      measured: `K_diagonal/K_exact is ${decimals(tightest)} or more`,
      holds: ordered,
    },
    {
      claim: "the exact second moment stops decaying exactly where K_exact = 1",
      measured: `ρ − 1 = ${scientific(growthAtCritical.exact - 1)} at η = ${critical.exact.toFixed(5)}`,
      holds: Math.abs(growthAtCritical.exact - 1) < 1e-8,
    },
    {
      claim: "λ_max(A+B) crosses 1 where the paper’s K = 1",
      measured: `λ_max(A+B) − 1 = ${scientific(growthAtCritical.diagonal - 1)} at η = ${critical.diagonal.toFixed(5)}`,
      holds: Math.abs(growthAtCritical.diagonal - 1) < 1e-8,
    },
    {
      claim: "the stochastic edge comes before the deterministic one",
      measured: `η = ${critical.exact.toFixed(4)} against ${critical.deterministic.toFixed(4)}`,
      holds: critical.exact < critical.deterministic,
    },
    {
      claim: "the paper’s K reads low at the edge",
      measured: `K_diagonal = ${decimals(diagonalAtEdge.kDiagonal)} where K_exact = ${decimals(diagonalAtEdge.kExact)}`,
      holds: critical.diagonal > critical.exact,
    },
    {
      claim: `for K ≤ ${quietKernel} the simulation agrees with the exact expectation (5 standard errors)`,
      measured: `largest deviation ${decimals(worst, 1)} standard errors over ${deviations.length} points`,
      holds: worst < 5,
    },
    {
      claim: `after ${problem.steps} steps the expected loss is least inside the edge, and above its start beyond it`,
      measured:
        `least ${scientific(best.loss)} at K = ${decimals(best.k)}; beyond K = 1 at least ` +
        `${scientific(Math.min(...beyond.map(({ loss }) => loss / start)))} of the start`,
      holds:
        best.k > 0.3 && best.k < 1 && inside.every(({ loss }) => loss < 0.5 * start) && finals.at(-1)!.loss > start,
    },
  ];
}
