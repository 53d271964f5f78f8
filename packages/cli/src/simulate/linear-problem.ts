import { BadInput } from "@sedge/lab";
import type { LinearSimulationProblem } from "@sedge/lab/figures";
import { createRandom } from "@sedge/linalg";
import { criticalLearningRate, linearSystem, samplings, TheoryRangeError, type Sampling } from "@sedge/theory";
import { parseNumber, parseWholeNumber } from "../parse-number.js";
import { asBadInput } from "../theory/evaluate.js";
import { readTheoryFile } from "../theory/theory-file.js";

/** The flags of `sedge simulate linear`, as written. */
export interface LinearFlags {
  readonly examples: string;
  readonly params: string;
  readonly outputs: string;
  readonly learningRate?: string;
  readonly noiseKernel: string;
  readonly batchSize: string;
  readonly sampling: string;
  readonly momentum: string;
  readonly nesterov?: boolean;
  readonly weightDecay: string;
  readonly labelNoise: string;
  readonly steps: string;
  readonly seeds: string;
  readonly seed: string;
}

/**
 * The problem to simulate: the one case of a theory file, with its settings, or random features with those of the flags.
 *
 * @throws BadInput naming the flag or the file's key, what is allowed and what was given.
 */
export function linearProblem(path: string | undefined, flags: LinearFlags): LinearSimulationProblem {
  const steps = parseWholeNumber("--steps", flags.steps, 1, 1e7);
  const seeds = parseWholeNumber("--seeds", flags.seeds, 1, 1e5);
  const labelNoise = parseNumber("--label-noise", flags.labelNoise, (x) => x >= 0, "a number of at least 0");
  const random = createRandom(`simulate linear, ${parseWholeNumber("--seed", flags.seed)}`);
  return asBadInput(path ?? "simulate linear", () => {
    const chosen = path === undefined ? randomProblem(flags, random) : problemOfFile(path, random);
    return { ...chosen, steps, seeds, labelNoise };
  });
}

type Chosen = Pick<LinearSimulationProblem, "system" | "residual" | "sgd">;

function randomProblem(flags: LinearFlags, random: ReturnType<typeof createRandom>): Chosen {
  const examples = parseWholeNumber("--examples", flags.examples, 1, 2000);
  const outputs = parseWholeNumber("--outputs", flags.outputs, 1, 100);
  const params = parseWholeNumber("--params", flags.params, 1, 100_000);
  const size = examples * outputs;
  if (size > 2000) throw new BadInput(`--examples × --outputs: expected at most 2000, got ${size}.`);
  const sampling = flags.sampling as Sampling;
  if (!samplings.includes(sampling)) {
    throw new BadInput(`--sampling: expected ${samplings.join(", ")}, got ${JSON.stringify(flags.sampling)}.`);
  }
  const settings = {
    batchSize: parseWholeNumber("--batch-size", flags.batchSize, 1, examples),
    momentum: parseNumber("--momentum", flags.momentum, (x) => x >= 0 && x < 1, "a number in [0, 1)"),
    nesterov: flags.nesterov === true,
    weightDecay: parseNumber("--weight-decay", flags.weightDecay, (x) => x >= 0, "a number of at least 0"),
    sampling,
  };
  const system = linearSystem({ jacobian: random.fork("jacobian").normals(size * params), examples, outputs });
  const target = parseNumber("--noise-kernel", flags.noiseKernel, (x) => x > 0, "a number above 0");
  const learningRate =
    flags.learningRate === undefined
      ? criticalLearningRate(system, { ...settings, target }).value
      : parseNumber("--learning-rate", flags.learningRate, (x) => x > 0, "a number above 0");
  return { system, residual: random.fork("residual").normals(size), sgd: { ...settings, learningRate } };
}

function problemOfFile(path: string, random: ReturnType<typeof createRandom>): Chosen {
  const cases = readTheoryFile(path);
  if (cases.length > 1) throw new BadInput(`${path}: expected one case to simulate, got ${cases.length}.`);
  const { examples, outputs, jacobian, ntk, residual, population, ...settings } = cases[0]!;
  if (population !== undefined) throw new BadInput(`${path}: population: a probe cannot be simulated, only the whole.`);
  const system = linearSystem({
    ...{ examples, outputs },
    ...(jacobian !== undefined && { jacobian }),
    ...(ntk !== undefined && { ntk }),
  });
  const { learningRate, batchSize, momentum, nesterov, weightDecay, sampling } = settings;
  if (batchSize > examples) {
    throw new TheoryRangeError(`batchSize: expected a whole number from 1 to ${examples}, got ${batchSize}.`);
  }
  return {
    system,
    residual: residual === undefined ? random.fork("residual").normals(system.size) : Float64Array.from(residual),
    sgd: { learningRate, batchSize, momentum, nesterov, weightDecay, sampling },
  };
}
