/**
 * Train on data of your own: any arrays will do. Here two moons, one for each class, in the plane; the same run is told
 * whether its learning rate is near an edge. For files there are sedge train --data FOLDER, for .npy, .npz and images.
 *
 *     node examples/own-data.mjs
 */
import { oneHot, train } from "@sedge/lab";
import { createRandom } from "@sedge/linalg";

const random = createRandom("two moons");

/** Points on two half circles, the second upside down and moved into the first, with some noise. */
function moons(examples) {
  const inputs = new Float32Array(examples * 2);
  const labels = new Int32Array(examples);
  for (let i = 0; i < examples; i++) {
    const angle = Math.PI * random.uniform();
    const label = i % 2;
    const [x, y] = label === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)];
    inputs.set([x + 0.1 * random.normal(), y + 0.1 * random.normal()], 2 * i);
    labels[i] = label;
  }
  return { examples, inputs, targets: oneHot(labels, 2, "moons") };
}

const dataset = {
  name: "moons",
  description: "two moons with noise",
  inputShape: [2],
  outputs: 2,
  train: moons(400),
  test: moons(200),
};

const { latest, verdict } = await train(
  {
    data: { examples: dataset.train.examples, testExamples: dataset.test.examples },
    model: { kind: "mlp", widths: [32, 32] },
    loss: "cross-entropy",
    learningRate: 0.1,
    batchSize: 8,
    steps: 3000,
    probes: { count: 4 },
  },
  { dataset },
);
console.log(`test accuracy ${latest["accuracy/test"].toFixed(3)}`);
console.log(`K = ${latest["noiseKernel/exact"].toFixed(3)}, λ_max·η/2 = ${latest["edge/deterministic"].toFixed(3)}`);
console.log(verdict.text);
