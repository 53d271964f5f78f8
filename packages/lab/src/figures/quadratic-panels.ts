import * as Plot from "@observablehq/plot";
import type { DataTable } from "./figure.js";
import { decimals } from "./numbers.js";
import type { Panel } from "./plotting/sheet.js";
import { rampColour, type Theme } from "./plotting/theme.js";
import { recordedSteps, type InitialKernel, type QuadraticCourse, type QuadraticProblem } from "./quadratic-courses.js";

interface CoursesPanel {
  readonly title: string;
  readonly problem: QuadraticProblem;
  readonly courses: readonly QuadraticCourse[];
  readonly kernels: readonly InitialKernel[];
  /** Upper end of the vertical axis, so that panels can share it. */
  readonly top: number;
}

/** λ_max·η/2 against step, a colour a batch size: the mean over seeds and a band of two standard errors. */
export function sharpnessPanel({ title, problem, courses, kernels, top }: CoursesPanel, theme: Theme): Panel {
  const steps = recordedSteps(problem);
  const scale = problem.learningRate / 2;
  const colour = (i: number) => rampColour(theme, i, courses.length);
  return {
    title,
    legend: courses.map(({ batchSize }, i) => {
      const { exact, diagonal } = kernels[i]!;
      const noise =
        batchSize === problem.examples
          ? "full batch, K = 0"
          : `K_{exact} ${decimals(exact)}, paper’s ${decimals(diagonal)}`;
      return { label: `B = ${batchSize}: ${noise}`, colour: colour(i) };
    }),
    x: { label: "step", type: "log", domain: [1, problem.steps] },
    y: { label: "λ_{max} η/2 (1 on the deterministic edge)", domain: [0, top] },
    marks: [
      ...(top >= 1 ? [Plot.ruleY([1], { stroke: theme.edge, strokeWidth: 1.3 })] : []),
      ...courses.flatMap(({ lambdaMax, lambdaMaxError }, i) => {
        const points = steps.flatMap((step, k) =>
          step > 0 && Number.isFinite(lambdaMax[k])
            ? [{ step, value: scale * lambdaMax[k]!, error: 2 * scale * (lambdaMaxError[k]! || 0) }]
            : [],
        );
        return [
          Plot.areaY(points, {
            ...{
              x: "step",
              y1: ({ value, error }: Point) => value - error,
              y2: ({ value, error }: Point) => value + error,
            },
            ...{ fill: colour(i), fillOpacity: 0.22, clip: true },
          }),
          Plot.line(points, { x: "step", y: "value", stroke: colour(i), strokeWidth: 2, clip: true }),
        ];
      }),
    ],
  };
}

interface Point {
  readonly step: number;
  readonly value: number;
  readonly error: number;
}

/** Loss against step, a colour a batch size. */
export function lossPanel(problem: QuadraticProblem, courses: readonly QuadraticCourse[], theme: Theme): Panel {
  const steps = recordedSteps(problem);
  const all = courses.flatMap(({ loss }) => loss).filter((value) => value > 0);
  const points = (loss: readonly number[]) =>
    steps.flatMap((step, k) => (step > 0 && loss[k]! > 0 ? [[step, loss[k]!] as [number, number]] : []));
  return {
    title: "Loss against step",
    legend: courses.map(({ batchSize }, i) => ({
      label: `B = ${batchSize}`,
      colour: rampColour(theme, i, courses.length),
    })),
    x: { label: "step", type: "log", domain: [1, problem.steps] },
    y: {
      label: "loss, ½ mean squared residual",
      type: "log",
      domain: [10 ** Math.floor(Math.log10(Math.min(...all))), 10 ** Math.ceil(Math.log10(Math.max(...all)))],
    },
    marks: courses.map(({ loss }, i) =>
      Plot.line(points(loss), { stroke: rampColour(theme, i, courses.length), strokeWidth: 2, clip: true }),
    ),
  };
}

/** The largest λ_max·η/2 that a panel of these courses shows, rounded up to a tenth. */
export function topOf(problem: QuadraticProblem, courses: readonly QuadraticCourse[]): number {
  const all = courses.flatMap(({ lambdaMax, lambdaMaxError }) =>
    lambdaMax.map((value, k) => value + 2 * (lambdaMaxError[k]! || 0)).filter(Number.isFinite),
  );
  return Math.ceil(10.5 * (problem.learningRate / 2) * Math.max(...all)) / 10;
}

/** Every course in long form. */
export function coursesTable(problem: QuadraticProblem, courses: readonly QuadraticCourse[]): DataTable {
  const steps = recordedSteps(problem);
  const long = (pick: (course: QuadraticCourse, k: number) => number) =>
    courses.flatMap((course) => steps.map((_, k) => pick(course, k)));
  return {
    batchSize: long(({ batchSize }) => batchSize),
    step: long((_, k) => steps[k]!),
    lambdaMax: long(({ lambdaMax }, k) => lambdaMax[k]!),
    lambdaMaxError: long(({ lambdaMaxError }, k) => lambdaMaxError[k]!),
    loss: long(({ loss }, k) => loss[k]!),
    lossError: long(({ lossError }, k) => lossError[k]!),
  };
}
