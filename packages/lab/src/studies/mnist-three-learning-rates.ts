/**
 * The main example over several seeds: what docs/studies/mnist-three-learning-rates.md reports.
 *
 *     npx tsc --build packages/lab && node packages/lab/dist/studies/mnist-three-learning-rates.js [seeds, default 5]
 *
 * Prints a Markdown table to standard output, progress to standard error.
 */
import { backend, createRandom, selectBackend } from "@sedge/linalg";
import { estimateNoiseKernel } from "../curvature/noise-kernel.js";
import { openNtk } from "../curvature/ntk/ntk.js";
import { takeExamples } from "../data/dataset.js";
import { mnist } from "../data/mnist.js";
import { mlp } from "../models/mlp.js";
import { minibatchStream } from "../sampling/minibatch-stream.js";
import { memorySink } from "../run/sinks.js";
import { train, type TrainResult } from "../training/train.js";

const learningRates = [0.003, 0.01, 0.03];
const probeSizes = [32, 64, 128];
const seeds = Number(process.argv[2] ?? 5);

selectBackend("auto");
const dataset = await mnist();
const model = mlp({ inputs: 784, widths: [128, 128], outputs: 10, activation: "tanh" });
const estimator = await openNtk(model);

console.error(`Node ${process.versions.node}, linear algebra: ${JSON.stringify(backend())}, ${dataset.description}`);
console.log(
  "| η | seed | λ_max(0)·η/2 | loss | test accuracy | λ_max·η/2 | K exact, n = 32 | 64 | 128 | ± at 64 | K diagonal | K highDim | K trace |",
);
console.log("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
for (const learningRate of learningRates) {
  for (let seed = 0; seed < seeds; seed++) {
    const sink = memorySink();
    const result = await train({ seed, learningRate, batchSize: 1, steps: 12_000 }, { sinks: [sink] });
    const start = sink.events.find((event) => event.type === "metrics");
    const exact = await kernelsByProbeSize(result, learningRate, seed);
    const { latest, seconds } = result;
    const cells = [
      latest["loss/train"],
      latest["accuracy/test"],
      latest["edge/deterministic"],
      ...exact,
      latest["noiseKernel/exact/standardError"],
      latest["noiseKernel/diagonal"],
      latest["noiseKernel/highDim"],
      latest["noiseKernel/trace"],
    ].map((value) => value!.toFixed(3));
    const initial = start?.type === "metrics" ? start.values["edge/deterministic"]!.toFixed(2) : "";
    console.log(`| ${[learningRate, seed, initial, ...cells].join(" | ")} |`);
    const took = `${seconds.training.toFixed(1)} s of steps, ${seconds.probes.toFixed(1)} s of probes`;
    console.error(`η = ${learningRate}, seed ${seed}: ${took}; ${result.verdict.text}`);
  }
}
await estimator.dispose();

/** K exact of the final weights on nested probes of each size. */
async function kernelsByProbeSize({ params }: TrainResult, learningRate: number, seed: number): Promise<number[]> {
  const { examples } = dataset.train;
  const random = createRandom(seed).fork("study");
  const largest = Math.max(...probeSizes);
  const chosen = minibatchStream({ examples, batchSize: largest, sampling: "without-replacement", random }).next(1);
  const values: number[] = [];
  for (const size of probeSizes) {
    const ntk = await estimator.measure(params, takeExamples(dataset.train, chosen.subarray(0, size)).inputs);
    const sgd = { examples, batchSize: 1, sampling: "with-replacement" } as const;
    values.push(estimateNoiseKernel(ntk, "squared", sgd, { learningRate }).exact.value);
  }
  return values;
}
