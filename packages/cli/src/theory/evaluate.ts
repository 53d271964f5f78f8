import {
  criticalBatchSize,
  criticalLearningRate,
  expectedLoss,
  linearSystem,
  noiseKernel,
  spectralRadius,
  type CriticalValue,
  type LinearSystem,
} from "@sedge/theory";
import { BadInput } from "@sedge/lab";
import type { TheoryCase } from "./theory-file.js";

/** The theory of one case. Keys are those of linear-theory.json, and some more. */
export interface TheoryResult {
  readonly name?: string | undefined;
  readonly lambdaMax: number;
  readonly trace: number;
  readonly spectrum: Float64Array;
  /** η over `criticalLearningRateDeterministic`. */
  readonly deterministicRatio: number;
  readonly binding: "deterministic" | "stochastic";
  readonly stable: boolean;
  readonly kExact: number;
  readonly kDiagonal: number;
  readonly kHighDim: number;
  readonly kTrace: number;
  /** Of the full second-moment operator. */
  readonly spectralRadius: number;
  /** The same at `criticalLearningRateExact`: 1. Null where that is not on the stochastic edge. */
  readonly spectralRadiusAtCritical: number | null;
  /** Where K = 1; null where the deterministic edge comes first. */
  readonly criticalLearningRateExact: number | null;
  readonly criticalLearningRateDiagonal: number | null;
  /** 2(1+m)/(λ_max+δ), with Nesterov's momentum 2(1+m)/((1+2m)(λ_max+δ)). */
  readonly criticalLearningRateDeterministic: number;
  /** The smallest batch with K ≤ 1, a real number; null where no batch size helps. */
  readonly criticalBatchSizeExact: number | null;
  /** Steps 0 … 50, where the file has a residual. */
  readonly expectedLoss?: Float64Array;
}

/** As many as linear-theory.json has. */
export const expectedLossSteps = 50;

/** @throws BadInput for what the theory refuses: a kernel that is not symmetric, a batch above N. */
export function evaluateTheory(given: TheoryCase, source: string): TheoryResult {
  return asBadInput(source, () => {
    const { examples, outputs, jacobian, ntk } = given;
    const system = linearSystem({
      ...{ examples, outputs },
      ...(jacobian !== undefined && { jacobian }),
      ...(ntk !== undefined && { ntk }),
    });
    return evaluate(given, system);
  });
}

/** Does some work in which a refusal by the libraries is the user's to mend: they word it for a caller, and that is the file. */
export function asBadInput<T>(source: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || !/^(THEORY|LINALG)_/.test(String((error as { code?: unknown }).code))) throw error;
    throw new BadInput(`${source}: ${error.message}`, { cause: error });
  }
}

function evaluate(given: TheoryCase, system: LinearSystem): TheoryResult {
  const { name, learningRate, batchSize, momentum, nesterov, weightDecay, sampling, population, residual } = given;
  const dynamics = { momentum, nesterov, weightDecay, sampling, population };
  const settings = { ...dynamics, learningRate, batchSize };
  const kernel = noiseKernel(system, settings);
  const exactRate = onStochasticEdge(criticalLearningRate(system, { ...dynamics, batchSize, norm: "exact" }));
  const batch = criticalBatchSize(system, { ...dynamics, learningRate });
  return {
    ...(name !== undefined && { name }),
    lambdaMax: system.lambdaMax,
    trace: system.trace,
    spectrum: system.spectrum,
    deterministicRatio: kernel.deterministicRatio,
    binding: kernel.binding,
    stable: kernel.stable,
    kExact: kernel.exact,
    kDiagonal: kernel.diagonal,
    kHighDim: kernel.highDim,
    kTrace: kernel.trace,
    spectralRadius: spectralRadius(system, settings),
    spectralRadiusAtCritical:
      exactRate === null ? null : spectralRadius(system, { ...settings, learningRate: exactRate }),
    criticalLearningRateExact: exactRate,
    criticalLearningRateDiagonal: onStochasticEdge(
      criticalLearningRate(system, { ...dynamics, batchSize, norm: "diagonal" }),
    ),
    criticalLearningRateDeterministic: criticalLearningRate(system, { ...dynamics, batchSize, norm: "deterministic" })
      .value,
    criticalBatchSizeExact: batch.edge === "deterministic" ? null : batch.value,
    ...(residual !== undefined && { expectedLoss: expectedLoss(system, residual, settings, expectedLossSteps) }),
  };
}

const onStochasticEdge = ({ value, edge }: CriticalValue): number | null => (edge === "stochastic" ? value : null);
