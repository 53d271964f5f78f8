import type { FigureContext, Study } from "./figure.js";
import {
  initialKernels,
  quadraticCourses,
  type InitialKernel,
  type QuadraticCourse,
  type QuadraticProblem,
} from "./quadratic-courses.js";
import { coursesTable, lossPanel, sharpnessPanel, topOf } from "./quadratic-panels.js";

export interface QuadraticSimulationData {
  readonly courses: readonly QuadraticCourse[];
  readonly kernels: readonly InitialKernel[];
}

/** SGD on random quadratic regression models at several batch sizes: λ_max and loss, means over seeds. */
export function quadraticSimulation(problem: QuadraticProblem): Study<QuadraticSimulationData> {
  const title = "Quadratic regression: sharpening by batch size";
  const { examples, params, curvature, weighting, learningRate, seeds } = problem;
  return {
    name: "simulate-quadratic",
    title,
    async compute({ seed, parts, onProgress, signal }: FigureContext) {
      const total = problem.batchSizes.length * seeds;
      let done = 0;
      onProgress({ label: "simulating", done, total });
      const name = `simulate quadratic, ${seed}`;
      const courses = await quadraticCourses(problem, name, { parts, signal }, () =>
        onProgress({ label: "simulating", done: ++done, total }),
      );
      return { courses, kernels: initialKernels(problem, name) };
    },
    settings: ({ kernels, courses }) => ({
      ...problem,
      initialKernels: kernels,
      diverged: Object.fromEntries(courses.map(({ batchSize, diverged }) => [batchSize, diverged])),
    }),
    tables: ({ courses }) => ({ a: coursesTable(problem, courses) }),
    checks: () => [],
    sheet: ({ courses, kernels }, theme) => ({
      title,
      subtitle: [
        `${examples} examples, ${params} parameters, curvature ${curvature}, V ${weighting === "flat" ? "= 1" : "= σ"}, ` +
          `η = ${Number(learningRate.toPrecision(4))}; means over ${seeds} seeds, bands of two standard errors.`,
        ...courses
          .filter(({ diverged }) => diverged > 0)
          .map(({ batchSize, diverged }) => `B = ${batchSize}: ${diverged} seeds diverged and are left out.`),
      ],
      columns: 2,
      panels: [
        sharpnessPanel(
          { title: "Sharpness against step", problem, courses, kernels, top: topOf(problem, courses) },
          theme,
        ),
        lossPanel(problem, courses, theme),
      ],
    }),
  };
}
