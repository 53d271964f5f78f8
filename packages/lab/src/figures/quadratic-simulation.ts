import { agreementCheck, differencePanel, differenceTable } from "./difference-panel.js";
import type { FigureContext, Study } from "./figure.js";
import type { QuadraticProblem } from "./quadratic-courses.js";
import { coursesTable, lossPanel, sharpnessPanel, topOf } from "./quadratic-panels.js";
import { sharpen, sharpenedSeeds, weightings, type Sharpened } from "./sharpened.js";

/**
 * SGD on random quadratic regression models at several batch sizes: λ_max and loss, means over seeds, and the first two
 * steps beside their closed form.
 */
export function quadraticSimulation(problem: QuadraticProblem): Study<Sharpened> {
  const title = "Quadratic regression: sharpening by batch size";
  const { examples, params, curvature, weighting, learningRate, seeds, batchSizes } = problem;
  return {
    name: "simulate-quadratic",
    title,
    compute({ seed, parts, onProgress, signal }: FigureContext) {
      const total = sharpenedSeeds(problem);
      let done = 0;
      const tick = () => onProgress({ label: "simulating", done: done++, total });
      tick();
      return sharpen(problem, batchSizes, `simulate quadratic, ${seed}`, { parts, signal }, tick);
    },
    settings: ({ kernels, courses }) => ({
      ...problem,
      initialKernels: kernels,
      diverged: Object.fromEntries(courses.map(({ batchSize, diverged }) => [batchSize, diverged])),
    }),
    tables: (data) => ({
      a: coursesTable(problem, data.courses),
      b: coursesTable(problem, data.courses),
      c: differenceTable("first", [data]),
      d: differenceTable("second", [data]),
    }),
    // An error bar needs a few seeds.
    checks: (data) => (seeds < 10 ? [] : [agreementCheck(data)]),
    sheet(data, theme) {
      const { courses, early } = data;
      const differences = [{ label: weightings[weighting], colour: theme.series[0]!, early }];
      return {
        title,
        subtitle: [
          `${examples} examples, ${params} parameters, random Q with entries of variance ${curvature}² V, ` +
            `${weightings[weighting]}, η = ${Number(learningRate.toPrecision(4))};`,
          `means over ${seeds} seeds, bands of two standard errors. c, d: one (J, z), a fiftieth of the curvature, each Q paired with −Q.`,
          ...courses
            .filter(({ diverged }) => diverged > 0)
            .map(
              ({ batchSize, diverged }) => `B = ${batchSize}: ${diverged} of ${seeds} seeds diverged and are left out.`,
            ),
        ],
        columns: 2,
        panels: [
          sharpnessPanel({ title: "Sharpness against step", top: topOf(problem, courses), ...data }, theme),
          lossPanel(problem, courses, theme),
          differencePanel("first", differences, theme),
          differencePanel("second", differences, theme),
        ],
      };
    },
  };
}
