export { linearSystem, type LinearSystem, type LinearSystemInput } from "./linear-system.js";
export { samplingCoefficients, samplings, type Sampling, type SamplingCoefficients } from "./sampling.js";
export type { SgdSettings } from "./settings.js";
export { adamAsHeavyBall, type AdamSettings } from "./adam.js";
export {
  highDimNoiseKernel,
  noiseKernel,
  traceNoiseKernel,
  type NoiseKernel,
  type NoiseKernelOptions,
} from "./noise-kernel.js";
export { deterministicLimit } from "./response.js";
export { exactNoiseKernel, type ExactNoiseKernel, type ExactNoiseKernelOptions } from "./exact-noise-kernel.js";
export { diagonalNoiseKernel } from "./diagonal-noise-kernel.js";
export {
  criticalBatchSize,
  criticalLearningRate,
  type CriticalOptions,
  type CriticalValue,
  type StabilityNorm,
} from "./critical.js";
export { necessaryConditions, type NecessaryConditions } from "./necessary-conditions.js";
export { phaseDiagram, type Phase, type PhaseDiagram } from "./phase-diagram.js";
export { diagonalSpectralRadius, spectralRadius } from "./spectral-radius.js";
export { expectedLoss } from "./expected-loss.js";
export { diagonalLoss, volterraLoss } from "./approximate-loss.js";
export { simulateLinearSgd, type LinearSgdOptions, type LinearSgdSimulation } from "./simulation/linear-sgd.js";
export {
  randomQuadraticModel,
  type QuadraticModel,
  type RandomQuadraticModelOptions,
  type Weighting,
} from "./simulation/quadratic-model.js";
export {
  simulateQuadraticModel,
  type QuadraticSgdOptions,
  type QuadraticSgdSimulation,
} from "./simulation/quadratic-sgd.js";
export { expectedSharpening, type ExpectedSharpening, type SharpeningInput } from "./simulation/sharpening.js";
export type { SimulationOptions } from "./simulation/run-plan.js";
export { TheoryRangeError, TheoryTypeError } from "./errors.js";
export {
  probeNoiseKernel,
  type ProbeEstimate,
  type ProbeInput,
  type ProbeNoiseKernel,
  type ProbeOptions,
} from "./probe-noise-kernel.js";
