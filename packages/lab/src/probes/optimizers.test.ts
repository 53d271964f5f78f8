import { tensor } from "@sedge/autodiff";
import { createRandom, multiply } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import type { TrainConfigInput } from "../config/train-config.js";
import { denseJacobian } from "../curvature/ntk/testing.js";
import { mlp } from "../models/mlp.js";
import type { Params } from "../models/model.js";
import { outputHessianRoots, type Loss } from "../objectives/objective.js";
import { train } from "../training/train.js";
import { noiseKernelProbe } from "./noise-kernel.js";
import type { Probe, ProbeView } from "./probe.js";
import { normalsDataset } from "./testing.js";

const [examples, outputs] = [5, 2];
const normals = normalsDataset({ seed: "optimizers", inputs: 2, outputs, train: examples, test: examples });
const labels = Float32Array.from({ length: examples * outputs }, (_, k) =>
  Number([0, 1, 1, 0, 0][Math.floor(k / 2)] === k % 2),
);
const dataset = { ...normals, train: { ...normals.train, targets: labels } };
const model = mlp({ inputs: 2, widths: [1], outputs });
const [batchSize, steps] = [2, 12];

const optimizers: Readonly<Record<string, Partial<TrainConfigInput>>> = {
  sgd: { learningRate: 0.2 },
  "sgd with weight decay": { learningRate: 0.2, weightDecay: 0.1 },
  "heavy ball with weight decay": { learningRate: 0.05, momentum: 0.8, weightDecay: 0.05 },
  "Nesterov with weight decay": {
    learningRate: 0.05,
    momentum: 0.8,
    weightDecay: 0.05,
    optimizer: { kind: "sgd", nesterov: true },
  },
  adam: { learningRate: 0.02, optimizer: { kind: "adam" } },
  adamw: { learningRate: 0.02, weightDecay: 0.02, optimizer: { kind: "adamw" } },
  "adam with L2 decay": { learningRate: 0.02, weightDecay: 0.02, optimizer: { kind: "adam" } },
  "rmsprop with L2 decay": { learningRate: 0.02, weightDecay: 0.02, optimizer: { kind: "rmsprop" } },
  rmsprop: { learningRate: 0.02, momentum: 0.5, optimizer: { kind: "rmsprop" } },
};

/** Keeps what probes were shown last. */
function spy(): { probe: Probe; view: () => ProbeView } {
  let last: ProbeView | undefined;
  const probe: Probe = {
    name: "spy",
    open: () =>
      Promise.resolve({
        observe: (view) => {
          last = view;
          return Promise.resolve({});
        },
        close: () => Promise.resolve(),
      }),
  };
  return { probe, view: () => last! };
}

const configOf = (name: string, loss: Loss): TrainConfigInput => ({
  ...{ data: { examples }, batchSize, steps, loss, sampling: "without-replacement", seed: 3 },
  probes: { count: 2, examples },
  ...(optimizers[name] as { learningRate: number }),
});

describe("K of the run's own optimiser, with its state", () => {
  // Truth: the covariance of weights under the update rule itself, written out in float64 with the preconditioner held, and the
  // noise that comes back from a unit of it (`feedback`). The probe's Jacobian is float32, some 1e-6; K is solved for to 1e-5. AdamW's
  // decay, which is decoupled, counts as one of the gradient: right to order ηδ/(1 − β₁) = 0.004. An L2 decay
  // that is divided by D counts as its mean: 1 to 2 % off here, where leaving it out is 4 to 8 % off.
  test.each(
    Object.keys(optimizers).flatMap((name) =>
      (["squared", "cross-entropy"] as const).map((loss) => [name, loss] as const),
    ),
  )("%s, %s", async (name, loss) => {
    const { probe, view } = spy();
    const config = configOf(name, loss);
    const { latest } = await train(config, { dataset, model, probes: [noiseKernelProbe({ examples }), probe] });
    const truth = await feedback(config, loss, view());
    const tolerance = name === "adamw" ? 4e-3 : name.endsWith("L2 decay") ? 0.03 : 1e-4;
    expect(Math.abs(latest["noiseKernel/exact"]! / truth - 1)).toBeLessThan(tolerance);
  });
});

test.each(Object.keys(optimizers))("%s: training is bit-identical with and without probes", async (name) => {
  const config = { ...configOf(name, "squared"), probes: { every: 7, examples } };
  const watched = await train(config, { dataset, model });
  const alone = await train(config, { dataset, model, probes: [] });
  expect(watched.warnings).toEqual([]);
  expect(watched.params).toEqual(alone.params); // no tolerance: nothing may differ
});

/** One update of a weight: (θ, b) ↦ move·(θ, b) + gain·gradient, b the optimiser's buffer, as PyTorch's documentation has it. */
function updateOf({ learningRate: rate, momentum: m = 0, weightDecay = 0, optimizer }: TrainConfigInput, step: number) {
  switch (optimizer?.kind) {
    case "adam":
    case "adamw": {
      const beta = 0.9;
      const bold = rate / (1 - beta ** step); // m̂ = m/(1 − β₁ᵗ)
      const kept = optimizer.kind === "adamw" ? 1 - rate * weightDecay : 1;
      const decay = optimizer.kind === "adam" ? weightDecay : 0;
      return { decay, move: [kept, -bold * beta, 0, beta], gain: [-bold * (1 - beta), 1 - beta] };
    }
    case "rmsprop":
      return { decay: weightDecay, move: [1, -rate * m, 0, m], gain: [-rate, 1] };
    default: {
      const isNesterov = optimizer?.nesterov === true; // θ' = θ − η(g + m b'), b' = m b + g; else θ' = θ − η b'
      const move = isNesterov ? [1, -rate * m * m, 0, m] : [1, -rate * m, 0, m];
      return { decay: weightDecay, move, gain: [isNesterov ? -rate * (1 + m) : -rate, 1] };
    }
  }
}

/** D of each weight, from the optimiser's running mean of squared gradients. */
function divisors(kind: string | undefined, step: number, carried: Params): number[] {
  const root = (prefix: string, correction: number) =>
    model.params.flatMap(({ name }) =>
      Array.from(carried[`${prefix}/${name}`]!, (v) => Math.sqrt(v / correction) + 1e-8),
    );
  if (kind === "adam" || kind === "adamw") return root("secondMoment", 1 - 0.999 ** step);
  return kind === "rmsprop" ? root("squareAverage", 1) : model.params.flatMap(({ shape }) => ones(shape));
}

const ones = (shape: readonly number[]): number[] => new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1);

/**
 * With u = D^{1/2}θ, J̃ = H^{1/2} J D^{-1/2} and G = J̃ᵀJ̃/n, a state s = (u, b) has E[ssᵀ]' = M S Mᵀ + (κ − 1) h G S_uu G hᵀ
 * + c h J̃ᵀ bd(J̃ S_uu J̃ᵀ) J̃ hᵀ/n²: K is the largest eigenvalue of W ↦ bd(J̃ S_uu J̃ᵀ), S the stationary answer to W in place
 * of the last bd.
 */
async function feedback(config: TrainConfigInput, loss: Loss, { params, carried, step }: ProbeView): Promise<number> {
  const x = tensor(dataset.train.inputs, [examples, 2]);
  const { jacobian, size } = await denseJacobian(model, params, { x });
  const D = divisors(config.optimizer?.kind, step, carried);
  const rows = curved(
    jacobian.map((entry, k) => entry / Math.sqrt(D[k % size]!)),
    loss,
    params,
    size,
  );
  const G = multiply(rows, rows, { rows: size, inner: examples * outputs, columns: size, transposeA: true });
  for (let k = 0; k < G.length; k++) G[k]! /= examples;

  const beta = batchSize / examples;
  const kappa = (batchSize * (batchSize - 1)) / (examples * (examples - 1)) / beta ** 2;
  const c = 1 / beta - kappa;
  const { decay, move, gain } = updateOf(config, step);
  const wide = 2 * size;
  const M = new Float64Array(wide * wide);
  for (let a = 0; a < 2; a++) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const full = G[i * size + j]! + (i === j ? decay / D[i]! : 0);
        M[(a * size + i) * wide + j] = gain[a]! * full + (i === j ? move[2 * a]! : 0);
        M[(a * size + i) * wide + size + j] = i === j ? move[2 * a + 1]! : 0;
      }
    }
  }
  const noise = new Float64Array(wide * wide).map((_, k) => {
    const [row, column] = [Math.floor(k / wide), k % wide];
    return column < size ? gain[Math.floor(row / size)]! * G[(row % size) * size + column]! : 0;
  });
  const count = wide * wide;
  const evolution = new Float64Array(count * count);
  for (const [matrix, weight] of [
    [M, 1],
    [noise, kappa - 1],
  ] as const) {
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        const [a, b, p, q] = [Math.floor(i / wide), i % wide, Math.floor(j / wide), j % wide];
        evolution[i * count + j]! += weight * matrix[a * wide + p]! * matrix[b * wide + q]!;
      }
    }
  }

  const blocks = examples * outputs * outputs;
  const sources = new Float64Array(count * blocks); // a column for each entry of W
  for (let w = 0; w < blocks; w++) {
    const [example, a, b] = [Math.floor(w / outputs ** 2), Math.floor(w / outputs) % outputs, w % outputs];
    for (let k = 0; k < count; k++) {
      const [i, j] = [Math.floor(k / wide), k % wide];
      const left = rows[(example * outputs + a) * size + (i % size)]! * gain[Math.floor(i / size)]!;
      const right = rows[(example * outputs + b) * size + (j % size)]! * gain[Math.floor(j / size)]!;
      sources[k * blocks + w] = (c * left * right) / examples ** 2;
    }
  }
  // Σ_t Lᵗ by doubling: sixteen million steps.
  const sum = sources;
  let power: Float64Array = evolution;
  for (let doubling = 0; doubling < 24; doubling++) {
    const more = multiply(power, sum, { rows: count, inner: count, columns: blocks });
    for (let k = 0; k < sum.length; k++) sum[k]! += more[k]!;
    power = multiply(power, power, { rows: count, inner: count, columns: count });
  }
  const map = new Float64Array(blocks * blocks);
  for (let out = 0; out < blocks; out++) {
    const [example, a, b] = [Math.floor(out / outputs ** 2), Math.floor(out / outputs) % outputs, out % outputs];
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const weight = rows[(example * outputs + a) * size + i]! * rows[(example * outputs + b) * size + j]!;
        for (let w = 0; w < blocks; w++) map[out * blocks + w]! += weight * sum[(i * wide + j) * blocks + w]!;
      }
    }
  }
  return perron(map, blocks);
}

/** Rows of H^{1/2} J. */
function curved(jacobian: Float64Array, loss: Loss, params: Params, size: number): Float64Array {
  if (loss === "squared") return jacobian;
  const roots = outputHessianRoots(loss, outputsOf(params), outputs)!;
  return jacobian.map((_, k) => {
    const [row, column] = [Math.floor(k / size), k % size];
    const first = row - (row % outputs);
    let total = 0;
    for (let a = 0; a < outputs; a++) total += roots[row * outputs + a]! * jacobian[(first + a) * size + column]!;
    return total;
  });
}

/** tanh of one hidden unit, by hand. */
function outputsOf({ W1, b1, W2, b2 }: Params): number[] {
  const { inputs } = dataset.train;
  return Array.from({ length: examples * outputs }, (_, k) => {
    const [i, c] = [Math.floor(k / outputs), k % outputs];
    const hidden = Math.tanh(inputs[2 * i]! * W1![0]! + inputs[2 * i + 1]! * W1![1]! + b1![0]!);
    return hidden * W2![c]! + b2![c]!;
  });
}

/** The largest eigenvalue of a map that keeps positive matrices positive: by powers, from the identity. */
function perron(map: Float64Array, size: number): number {
  const random = createRandom("perron");
  let vector = Float64Array.from({ length: size }, (_, k) => {
    const [a, b] = [Math.floor(k / outputs) % outputs, k % outputs];
    return a === b ? 1 + 0.1 * random.uniform() : 0;
  });
  let value = 0;
  for (let turn = 0; turn < 3000; turn++) {
    const next = multiply(map, vector, { rows: size, inner: size, columns: 1 });
    value = Math.hypot(...next);
    vector = next.map((entry) => entry / value);
  }
  return value;
}
