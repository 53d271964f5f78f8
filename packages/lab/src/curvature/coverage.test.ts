/**
 * Coverage: in how many seeded trials the truth, computed densely in float64, lies within an estimate's stated 95 % interval, `low` to
 * `high`. At least 90 % must. A trial without an interval counts as one that does not hold.
 */
import { compile, tensor } from "@sedge/autodiff";
import { createRandom, eigvalsh, type Random } from "@sedge/linalg";
import { linearSystem, noiseKernel, probeNoiseKernel, type ProbeNoiseKernel } from "@sedge/theory";
import { describe, expect, test } from "vitest";
import { mlp } from "../models/mlp.js";
import { sizeOf, type Model } from "../models/model.js";
import { vit } from "../models/vit.js";
import { cnn } from "../models/cnn.js";
import { outputHessianRoots, type Loss } from "../objectives/objective.js";
import { sampledDirections } from "./attribution/sampled-directions.js";
import { sampledNoiseKernel } from "./attribution/sampled-kernel.js";
import { denseOperator } from "./curvature-operator.js";
import { conjugateBlocks } from "./noise-kernel.js";
import { denseJacobian, denseKernel } from "./ntk/testing.js";
import { spectralQuadrature, traceOfFunction } from "./spectral-quadrature.js";
import { curvatureCases, denseCurvature } from "./testing.js";
import { hutchinson, hutchPlusPlus } from "./trace.js";

interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The share of intervals that hold the truth. */
async function coverage(
  truth: number,
  trials: number,
  estimate: (random: Random) => Interval | Promise<Interval>,
): Promise<number> {
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { low, high } = await estimate(createRandom(`trial ${trial}`));
    if (low <= truth && truth <= high) held++;
  }
  return held / trials;
}

const norms = ["exact", "diagonal", "highDim", "trace"] as const;
const inputShape = [6, 6, 2];

interface Population {
  readonly examples: number;
  readonly outputs: number;
  /** Θ of the whole, [N·C, N·C], without output curvature. */
  readonly plain: Float64Array;
  /** f, [N, C]. */
  readonly output: Float64Array;
}

/** The NTK of N examples of normal numbers, from a dense Jacobian. */
async function populationOf(model: Model, examples: number): Promise<Population> {
  const random = createRandom(model.description);
  const params = model.initialise(random);
  const x = tensor(Float32Array.from(random.normals(examples * sizeOf(model.inputShape))), [
    examples,
    ...model.inputShape,
  ]);
  const { jacobian, size } = await denseJacobian(model, params, { x });
  const session = await compile(model.graph, { precision: "float64" });
  const feeds = model.params.map(({ name, shape }) => [name, tensor(Float64Array.from(params[name]!), shape)] as const);
  const double = tensor(Float64Array.from(x.data as Float32Array), x.shape);
  const { output } = await session.run({ ...Object.fromEntries(feeds), x: double });
  await session.dispose();
  const { outputs } = model;
  return {
    examples,
    outputs,
    plain: denseKernel(jacobian, size, examples),
    output: output!.data as Float64Array,
  };
}

/** Θ_n of some of the examples: their rows and columns, times N/n. */
function probeOf(matrix: Float64Array, { examples, outputs }: Population, chosen: readonly number[]): Float64Array {
  const rows = chosen.flatMap((i) => Array.from({ length: outputs }, (_, c) => i * outputs + c));
  const factor = examples / chosen.length;
  return Float64Array.from(
    rows.flatMap((row) => rows.map((column) => factor * matrix[row * examples * outputs + column]!)),
  );
}

/** `count` of 0 … size − 1 in random order. */
function draw(random: Random, size: number, count: number): number[] {
  const all = Array.from({ length: size }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(size - i);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all.slice(0, count);
}

function curved({ plain, output, examples, outputs }: Population, loss: Loss): Float64Array {
  const roots = outputHessianRoots(loss, output, outputs);
  return roots ? conjugateBlocks(plain, roots, examples, outputs) : plain;
}

/** The shares of intervals that hold the truth, by norm. */
function heldByNorm(
  truth: Readonly<Record<(typeof norms)[number], number>>,
  trials: number,
  estimate: (random: Random) => ProbeNoiseKernel,
): Record<string, number> {
  const found = Array.from({ length: trials }, (_, trial) => estimate(createRandom(`trial ${trial}`)));
  return Object.fromEntries(
    norms.map((norm) => {
      const held = found.filter(({ [norm]: { low, high } }) => low <= truth[norm] && truth[norm] <= high).length;
      return [norm, held / trials];
    }),
  );
}

describe("K of the population, from probes drawn of it", () => {
  const [examples, probe, batchSize] = [96, 32, 4];
  test.each<readonly [string, Model, Loss]>([
    ["mlp", mlp({ inputs: 72, outputs: 3, widths: [10, 10] }), "cross-entropy"],
    ["convolutions", cnn({ inputShape, outputs: 3, widths: [4, 5] }), "squared"],
    [
      "attention and normalisation",
      vit({ inputShape, outputs: 3, patch: 3, width: 12, depth: 1, heads: 2 }),
      "squared",
    ],
  ])("%s: all four forms", async (_, model, loss) => {
    const population = await populationOf(model, examples);
    const { outputs } = population;
    const matrix = curved(population, loss);
    const system = linearSystem({ ntk: matrix, examples, outputs });
    const settings = { learningRate: 0.5 / system.lambdaMax, batchSize, population: examples };
    const held = heldByNorm(noiseKernel(system, settings), 30, (random) => {
      const ntk = probeOf(matrix, population, draw(random, examples, probe));
      return probeNoiseKernel({ ntk, examples: probe, outputs }, settings, { tolerance: 1e-4 });
    });
    for (const norm of norms) expect(held[norm], norm).toBeGreaterThanOrEqual(0.9);
  });
});

test("K of a model of many outputs, from probes with random directions in place of its outputs", async () => {
  const [examples, probe, samples] = [64, 32, 4];
  const model = mlp({ inputs: 20, outputs: 10, widths: [12] });
  const population = await populationOf(model, examples);
  const { outputs, plain, output } = population;
  const matrix = curved(population, "cross-entropy");
  const system = linearSystem({ ntk: matrix, examples, outputs });
  const settings = { learningRate: 0.25 / system.lambdaMax, batchSize: 4, population: examples };
  const held = heldByNorm(noiseKernel(system, settings), 24, (random) => {
    const chosen = draw(random, examples, probe);
    const own = Float64Array.from(chosen.flatMap((i) => [...output.subarray(i * outputs, (i + 1) * outputs)]));
    const directions = sampledDirections({
      loss: "cross-entropy",
      output: own,
      outputs,
      classes: outputs,
      samples,
      random: random.fork("directions"),
    });
    const sampled = pulled(probeOf(plain, population, chosen), directions, probe, outputs);
    const kernel = { matrix: sampled, examples: probe, samples, outputs };
    return sampledNoiseKernel(kernel, settings, { tolerance: 1e-4 });
  });
  for (const norm of norms) expect(held[norm], norm).toBeGreaterThanOrEqual(0.9);
});

/** R Θ Rᵀ for the rows of directions [S, n, C], [n·S, n·S] example-major. */
function pulled(ntk: Float64Array, directions: Float32Array, examples: number, outputs: number): Float64Array {
  const samples = directions.length / examples / outputs;
  const [size, rows] = [examples * outputs, examples * samples];
  const half = new Float64Array(rows * size);
  const result = new Float64Array(rows * rows);
  const weight = (row: number, c: number) =>
    directions[((row % samples) * examples + Math.floor(row / samples)) * outputs + c]!;
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < outputs; c++) {
      const from = (Math.floor(row / samples) * outputs + c) * size;
      for (let k = 0; k < size; k++) half[row * size + k]! += weight(row, c) * ntk[from + k]!;
    }
    for (let column = 0; column < rows; column++) {
      const from = row * size + Math.floor(column / samples) * outputs;
      for (let c = 0; c < outputs; c++) result[row * rows + column]! += weight(column, c) * half[from + c]!;
    }
  }
  return result;
}

describe.each(curvatureCases())("traces of the dense matrix: $name", (own) => {
  const kinds = own.loss === "squared" ? (["hessian"] as const) : (["gaussNewton"] as const);
  test.each(kinds)("%s", async (kind) => {
    const { dense, size } = await denseCurvature(own, kind);
    const operator = denseOperator(dense, size);
    const spectrum = eigvalsh(dense, size);
    const sum = (f: (x: number) => number) => spectrum.reduce((all, x) => all + f(x), 0);
    const square = (x: number) => x / (2 + x * x);
    const trials = size < 300 ? 100 : 20; // products take size² each
    const trace = sum((x) => x);
    const held = {
      hutchinson: await coverage(trace, trials, (random) => hutchinson(operator, { products: 30, random })),
      hutchPlusPlus: await coverage(trace, trials, (random) => hutchPlusPlus(operator, { products: 30, random })),
      quadrature: await coverage(sum(square), trials, async (random) =>
        traceOfFunction(await spectralQuadrature(operator, { probes: 10, iterations: 8, random }), square),
      ),
    };
    for (const [name, share] of Object.entries(held)) expect(share, name).toBeGreaterThanOrEqual(0.9);
  });
});
