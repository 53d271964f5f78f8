/**
 * Where the closed form of the first two steps' sharpening ends to hold: figure 2's start with V = σ, whose λ_max has a neighbour
 * 0.6 % below, at several shares of its curvature. Recorded in docs/theory/quadratic-model.md. Run it after a build:
 * node packages/lab/dist/studies/sharpening-orders.js [draws of Q]
 */
import { createRandom } from "@sedge/linalg";
import { expectedSharpening, randomQuadraticModel, simulateQuadraticModel } from "@sedge/theory";
import { mean, standardErrorOfMean } from "../figures/numbers.js";
import { expectedLambdaMax } from "../figures/quadratic-courses.js";

const [examples, params, batchSize] = [100, 120, 5];
const curvature = Number((1.6 / params).toPrecision(2));
const pairs = Number(process.argv[2] ?? 600);
/** Of the batches, for each Q. */
const draws = 16;

const random = createRandom("figure 2, 1, start");
const jacobian = random
  .fork("jacobian")
  .normals(examples * params)
  .map((x) => x / Math.sqrt(params));
const residual = random.fork("residual").normals(examples);
const settings = {
  learningRate: 0.2 / expectedLambdaMax(examples, params),
  ...{ batchSize, sampling: "without-replacement" as const },
};

for (const share of [0.1, 0.05, 0.02]) {
  const drawn = { examples, params, curvature: share * curvature, weighting: "scaled" as const, jacobian, residual };
  const closed = expectedSharpening(drawn, settings);
  const measured = { first: [] as number[], second: [] as number[] };
  for (let pair = 0; pair < pairs; pair++) {
    const model = randomQuadraticModel({ ...drawn, seed: `sharpening orders, ${pair}` });
    const mirrored = { ...model, curvature: model.curvature.map((entry) => -entry) };
    const options = { steps: 2, seed: "sharpening orders", firstSeed: draws * pair, seeds: draws };
    const courses = [model, mirrored].map((each) => simulateQuadraticModel(each, settings, options).lambdaMax);
    const at = (step: number) =>
      mean(courses.flatMap((course) => Array.from({ length: draws }, (_, draw) => course[3 * draw + step]!)));
    measured.first.push(at(1) - at(0));
    measured.second.push(at(2) - 2 * at(1) + at(0));
  }
  for (const order of ["first", "second"] as const) {
    const truth = closed[order][examples - 1]!;
    const ratios = measured[order].map((value) => value / truth);
    const ratio = `${mean(ratios).toFixed(3)} ± ${standardErrorOfMean(ratios).toFixed(3)}`;
    console.log(`${share} of the curvature, ${order} difference: Monte Carlo / closed form ${ratio}`);
  }
}
