/**
 * The theory alone, no network: both edges of a linear model, and the learning rate and batch size at which it stops
 * converging. Works in a browser too: node examples/critical-values.mjs
 */
import { createRandom } from "@sedge/linalg";
import { criticalBatchSize, criticalLearningRate, linearSystem, noiseKernel, simulateLinearSgd } from "@sedge/theory";

const [examples, parameters] = [40, 60];
const random = createRandom("example");
const jacobian = random.normals(examples * parameters).map((x) => x / Math.sqrt(parameters));
const residual = random.normals(examples);
const system = linearSystem({ jacobian, examples, outputs: 1 });

const batchSize = 4;
const edge = criticalLearningRate(system, { batchSize });
console.log(`critical learning rate at B = ${batchSize}: ${edge.value.toFixed(3)}`);
for (const learningRate of [0.5 * edge.value, 1.1 * edge.value]) {
  const { exact, diagonal, deterministicRatio } = noiseKernel(system, { learningRate, batchSize });
  const settings = { learningRate, batchSize };
  const simulation = simulateLinearSgd(system, residual, settings, {
    steps: 2000,
    seeds: 20,
    seed: 1,
    recordAt: [2000],
  });
  console.log(
    `η = ${learningRate.toFixed(3)}: K = ${exact.toFixed(3)} (diagonal ${diagonal.toFixed(3)}), ` +
      `ηλ_max/2 = ${deterministicRatio.toFixed(3)}, mean loss after 2000 steps ${simulation.mean[0].toExponential(1)}`,
  );
}
const least = criticalBatchSize(system, { learningRate: 1.1 * edge.value });
console.log(`at the larger rate the batch size has to be ${Math.ceil(least.value)} at least`);
