/**
 * A probe of your own: what it returns becomes a metric of the run, beside loss, sharpness and K. Probes see a copy of the
 * weights, so training is the same with and without them. Run it after `npm run build`: node examples/custom-probe.mjs
 */
import { defaultProbes, parseTrainConfig, train } from "@sedge/lab";

/** Records `weights/norm`, the Euclidean norm of all parameters. */
const weightNorm = {
  name: "weightNorm",
  open: async () => ({
    observe: async ({ params }) => {
      let sum = 0;
      for (const values of Object.values(params)) for (const x of values) sum += x * x;
      return { "weights/norm": Math.sqrt(sum) };
    },
    close: async () => {},
  }),
};

const config = parseTrainConfig({
  learningRate: 0.02,
  batchSize: 1,
  steps: 500,
  data: { examples: 200 },
  model: { widths: [32] },
  probes: { count: 5 },
});
const { latest, verdict } = await train(config, { probes: [...defaultProbes(config), weightNorm] });
console.log(`‖θ‖ = ${latest["weights/norm"].toFixed(2)}, K = ${latest["noiseKernel/exact"].toFixed(2)}`);
console.log(verdict.text);
