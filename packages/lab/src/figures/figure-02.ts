import { agreementCheck, differencePanel, differenceTable } from "./difference-panel.js";
import type { Check, DataTable, Figure, FigureContext } from "./figure.js";
import { decimals } from "./numbers.js";
import { expectedLambdaMax, recordedSteps, type QuadraticCourse } from "./quadratic-courses.js";
import { coursesTable, sharpnessPanel, topOf } from "./quadratic-panels.js";
import { sharpen, sharpenedSeeds, weightings, type Sharpened } from "./sharpened.js";

export interface Figure02Data {
  readonly seed: number;
  readonly flat: Sharpened;
  readonly scaled: Sharpened;
}

const title = "Quadratic regression: small batches sharpen first and settle lower";

/** The paper's figure 2: conservative sharpening in the quadratic regression model. */
export const figure02: Figure<Figure02Data> = {
  number: 2,
  name: "figure-02",
  title,
  compute,
  sheet(data, theme) {
    const { problem } = data.flat;
    const differences = [data.flat, data.scaled].map(({ problem: { weighting }, early }, i) => ({
      label: weightings[weighting],
      colour: theme.series[i]!,
      early,
    }));
    const top = Math.max(...[data.flat, data.scaled].map((each) => topOf(each.problem, each.courses)));
    return {
      title,
      subtitle: [
        `${problem.examples} examples, ${problem.params} parameters, random Q with entries of variance ${problem.curvature}² V, ` +
          `η = ${decimals(problem.learningRate)}; means over ${problem.seeds} seeds, bands of two standard errors.`,
        "V = σ weights the second derivatives towards the large modes. c, d: one (J, z), a fiftieth of the curvature, each Q paired with −Q.",
      ],
      columns: 2,
      panels: [
        sharpnessPanel({ title: "Sharpness against step, V = 1", top, ...data.flat }, theme),
        sharpnessPanel({ title: "Sharpness against step, V = σ", top, ...data.scaled }, theme),
        differencePanel("first", differences, theme),
        differencePanel("second", differences, theme),
      ],
    };
  },
  tables,
  settings: ({ seed, flat, scaled }) => ({
    seed,
    problem: flat.problem,
    initialKernels: flat.kernels,
    diverged: {
      flat: flat.courses.map((course) => course.diverged),
      scaled: scaled.courses.map((course) => course.diverged),
    },
  }),
  checks,
};

async function compute({ quick, seed, parts, onProgress, signal }: FigureContext): Promise<Figure02Data> {
  const [examples, params] = quick ? [40, 50] : [100, 120];
  const name = `figure 2, ${seed}`;
  const shared = {
    ...{ examples, params, sampling: "without-replacement" as const },
    curvature: Number((1.6 / params).toPrecision(2)),
    // A tenth of the way to the deterministic edge: room to sharpen in.
    learningRate: (2 * 0.1) / expectedLambdaMax(examples, params),
    batchSizes: quick ? [3, 5, 10, 40] : [8, 12, 25, 100],
    steps: quick ? 200 : 400,
    seeds: quick ? 24 : 100,
  };
  const earlySizes = quick ? [2, 5, 10, 20, 40] : [5, 8, 12, 25, 50, 100];
  const total = 2 * sharpenedSeeds(shared);
  let done = 0;
  const sharpened = (weighting: "flat" | "scaled") => {
    const tick = () => onProgress({ label: weightings[weighting], done: done++, total });
    tick();
    return sharpen({ ...shared, weighting }, earlySizes, name, { parts, signal }, tick);
  };
  return { seed, flat: await sharpened("flat"), scaled: await sharpened("scaled") };
}

function tables({ flat, scaled }: Figure02Data): Record<string, DataTable> {
  return {
    a: coursesTable(flat.problem, flat.courses),
    b: coursesTable(scaled.problem, scaled.courses),
    c: differenceTable("first", [flat, scaled]),
    d: differenceTable("second", [flat, scaled]),
  };
}

function checks({ flat, scaled }: Figure02Data): Check[] {
  return [flat, scaled].flatMap((sharpened): Check[] => {
    const { problem, courses, early } = sharpened;
    const name = weightings[problem.weighting];
    const [smallest, largest] = [courses[0]!, courses.at(-1)!];
    const steps = recordedSteps(problem);
    const gain = ({ lambdaMax }: QuadraticCourse, k: number) => lambdaMax[k]! / lambdaMax[0]! - 1;
    const two = steps.indexOf(2);
    const last = steps.length - 1;
    const ends = courses.map((course) => gain(course, last));
    const firsts = early.map(({ first }) => first.theory);
    const seconds = early.map(({ second }) => second.theory);
    const asPercent = (value: number) => `${decimals(100 * value, 1)} %`;
    const inUnits = (value: number) => decimals(1e5 * value, 2);
    return [
      {
        claim: `${name}: a small batch sharpens more at first`,
        measured: `after 2 steps ${asPercent(gain(smallest, two))} at B = ${smallest.batchSize}, ${asPercent(gain(largest, two))} at full batch`,
        holds: gain(smallest, two) > gain(largest, two),
      },
      {
        claim: `${name}: and ends less sharp`,
        measured: `after ${steps[last]} steps ${asPercent(ends[0]!)} at B = ${smallest.batchSize}, ${asPercent(ends.at(-1)!)} at full batch`,
        holds: ends[0]! < ends.at(-1)!,
      },
      {
        claim: `${name}: the first step's sharpening falls with the batch size, in closed form`,
        measured: `${inUnits(firsts[0]!)} to ${inUnits(firsts.at(-1)!)} × 10⁻⁵`,
        holds: firsts.every((value, i) => i === 0 || value < firsts[i - 1]!),
      },
      {
        claim: `${name}: noise takes back progressive sharpening (the second difference rises with the batch size)`,
        measured: `${inUnits(seconds[0]!)} to ${inUnits(seconds.at(-1)!)} × 10⁻⁵`,
        holds: seconds.every((value, i) => i === 0 || value > seconds[i - 1]!),
      },
      agreementCheck(sharpened),
    ];
  });
}
