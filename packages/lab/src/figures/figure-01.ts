import { linearRegression, sampling, type Figure01Data, type Trajectory } from "./linear-regression.js";
import { finalLossPanel, growthPanel, isShown, kernelPanel, trajectoriesPanel } from "./linear-regression-panels.js";
import { worstDeviation } from "./course-over-seeds.js";
import { quietKernel } from "./linear-simulation.js";
import type { Check, DataTable, Figure } from "./figure.js";
import { decimals, scientific } from "./numbers.js";

export type { Figure01Data };

/** The paper's figure 1: linear regression, where K = 1 is the edge of convergence. */
export const figure01: Figure<Figure01Data> = {
  number: 1,
  name: "figure-01",
  title: "Linear regression: SGD converges up to K = 1",
  compute: linearRegression,
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

function checks({ trajectories, edges, critical, growthAtCritical, problem }: Figure01Data): Check[] {
  const start = trajectories[0]!.expectedLoss[0]!;
  const ordered = edges.every(({ kHighDim, kDiagonal, kExact }) => kHighDim <= kDiagonal && kDiagonal <= kExact);
  const tightest = Math.min(...edges.map(({ kExact, kDiagonal }) => kDiagonal / kExact));

  const quiet = trajectories.filter(({ kExact }) => kExact <= quietKernel);
  const deviations = quiet.map((run) => worstDeviation(run, run.expectedLoss));
  const worst = Math.max(...deviations.map((run) => run.worst));
  const points = deviations.reduce((sum, run) => sum + run.points, 0);

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
      measured: `largest deviation ${decimals(worst, 1)} standard errors over ${points} points`,
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
