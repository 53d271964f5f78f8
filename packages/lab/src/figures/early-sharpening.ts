import { createRandom } from "@sedge/linalg";
import { expectedSharpening, randomQuadraticModel, simulateQuadraticModel, type QuadraticModel } from "@sedge/theory";
import { breathe, type FigureContext } from "./figure.js";
import { mean, standardErrorOfMean } from "./numbers.js";
import type { QuadraticProblem } from "./quadratic-courses.js";

/** A difference of λ_max in the first two steps, relative to λ_max at the start: measured, and in closed form. */
export interface Difference {
  readonly mean: number;
  readonly standardError: number;
  readonly theory: number;
}

export interface EarlySharpening {
  readonly batchSize: number;
  /** λ_1 − λ_0. */
  readonly first: Difference;
  /** λ_2 − 2λ_1 + λ_0. */
  readonly second: Difference;
}

/**
 * The first two steps from one (J, z), over many draws of Q and of the batches. Each Q is used with its negative too:
 * the pair cancels every odd order, and with it nearly all of the variance.
 */
export async function earlySharpening(
  problem: QuadraticProblem,
  batchSizes: readonly number[],
  name: string,
  { parts, signal }: Pick<FigureContext, "parts" | "signal">,
  onSeed: () => void,
): Promise<EarlySharpening[]> {
  const { examples, params, curvature, weighting, learningRate, sampling, seeds } = problem;
  const inputs = {
    examples,
    params,
    curvature,
    weighting,
    learningRate,
    sampling,
    seeds,
    batchSizes,
    name,
    version: 2,
  };
  return parts.part("early-sharpening", inputs, async () => {
    const random = createRandom(`${name}, start`);
    const jacobian = random
      .fork("jacobian")
      .normals(examples * params)
      .map((x) => x / Math.sqrt(params));
    const residual = random.fork("residual").normals(examples);
    const drawn = { examples, params, curvature, weighting, jacobian, residual };

    const differences = batchSizes.map(() => ({ first: [] as number[], second: [] as number[] }));
    for (let index = 0; index < seeds; index++) {
      await breathe(signal);
      const model = randomQuadraticModel({ ...drawn, seed: `${name}, pair ${index}` });
      const mirrored = { ...model, curvature: model.curvature.map((entry) => -entry) };
      batchSizes.forEach((batchSize, k) => {
        const changes = [model, mirrored].flatMap((each) => firstChanges(each, batchSize, index));
        differences[k]!.first.push(mean(changes.map(({ first }) => first)));
        differences[k]!.second.push(mean(changes.map(({ second }) => second)));
      });
      onSeed();
    }

    /** Relative changes of λ_max in two steps, for some draws of the batches, the same ones for Q and −Q. */
    function firstChanges(model: QuadraticModel, batchSize: number, index: number) {
      // A small batch varies more and costs less: it is drawn more often.
      const draws = Math.min(16, Math.ceil(examples / batchSize));
      const options = { steps: 2, seed: `${name}, batches`, firstSeed: 16 * index, seeds: draws };
      const { lambdaMax } = simulateQuadraticModel(model, { learningRate, batchSize, sampling }, options);
      return Array.from({ length: draws }, (_, draw) => {
        const [start, one, two] = lambdaMax.subarray(3 * draw, 3 * draw + 3) as unknown as [number, number, number];
        return { first: (one - start) / start, second: (two - 2 * one + start) / start };
      });
    }

    return batchSizes.map((batchSize, k) => {
      const { eigenvalues, first, second } = expectedSharpening(drawn, { learningRate, batchSize, sampling });
      const top = eigenvalues.length - 1;
      const measured = (values: number[], theory: number): Difference => ({
        mean: mean(values),
        standardError: standardErrorOfMean(values),
        theory: theory / eigenvalues[top]!,
      });
      return {
        batchSize,
        first: measured(differences[k]!.first, first[top]!),
        second: measured(differences[k]!.second, second[top]!),
      };
    });
  });
}
