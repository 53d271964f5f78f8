import { BadInput } from "@sedge/lab";
import { expectedLambdaMax, type QuadraticProblem } from "@sedge/lab/figures";
import { samplings, type Sampling } from "@sedge/theory";
import { parseNumber, parseWholeNumber } from "../parse-number.js";

/** The flags of `sedge simulate quadratic`, as written. */
export interface QuadraticFlags {
  readonly examples: string;
  readonly params: string;
  readonly curvature: string;
  readonly weighting: string;
  readonly batchSizes: string;
  readonly edge: string;
  readonly learningRate?: string;
  readonly sampling: string;
  readonly steps: string;
  readonly seeds: string;
}

/** Entries of Q, N·P²: 400 MB. */
const mostEntries = 5e7;

/** @throws BadInput naming the flag, what is allowed and what was given. */
export function quadraticProblem(flags: QuadraticFlags): QuadraticProblem {
  const examples = parseWholeNumber("--examples", flags.examples, 1, 1000);
  const params = parseWholeNumber("--params", flags.params, 1, 1000);
  if (examples * params * params > mostEntries) {
    throw new BadInput(
      `--examples × --params²: expected at most ${mostEntries} second derivatives, got ${examples * params * params}.`,
    );
  }
  const { weighting, sampling } = flags;
  if (weighting !== "flat" && weighting !== "scaled") {
    throw new BadInput(`--weighting: expected flat or scaled, got ${JSON.stringify(weighting)}.`);
  }
  if (!samplings.includes(sampling as Sampling)) {
    throw new BadInput(`--sampling: expected ${samplings.join(", ")}, got ${JSON.stringify(sampling)}.`);
  }
  const positive = (value: number) => value > 0;
  const edge = parseNumber("--edge", flags.edge, positive, "a number above 0");
  return {
    ...{ examples, params, weighting },
    curvature: parseNumber("--curvature", flags.curvature, (x) => x >= 0, "a number of at least 0"),
    batchSizes: flags.batchSizes
      .split(",")
      .map((text) => parseWholeNumber("--batch-sizes", text.trim(), 1, examples))
      .sort((a, b) => a - b),
    learningRate:
      flags.learningRate === undefined
        ? (2 * edge) / expectedLambdaMax(examples, params)
        : parseNumber("--learning-rate", flags.learningRate, positive, "a number above 0"),
    sampling: sampling as Sampling,
    steps: parseWholeNumber("--steps", flags.steps, 2, 1e6),
    seeds: parseWholeNumber("--seeds", flags.seeds, 1, 1e5),
  };
}
