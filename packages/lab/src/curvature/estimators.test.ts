import { createRandom, eigvalsh } from "@sedge/linalg";
import { highDimNoiseKernel } from "@sedge/theory";
import { describe, expect, test } from "vitest";
import { mlpCases } from "../fixtures/networks.js";
import { objective } from "../objectives/objective.js";
import { denseOperator, openCurvature } from "./curvature-operator.js";
import { estimateOf } from "./estimate.js";
import { spectralDensity } from "./spectral-density.js";
import { highDimFromQuadrature, spectralQuadrature, traceOfFunction } from "./spectral-quadrature.js";
import { hutchinson, hutchPlusPlus, traceKernelEstimate } from "./trace.js";
import { topEigenpairs } from "./top-eigenpairs.js";

/** A random symmetric matrix with a spectrum that decays like a network's: a few large eigenvalues above a bulk. */
const size = 80;
const matrix = (() => {
  const random = createRandom("matrix");
  const dense = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    const v = random.normals(size);
    const weight = 3 / (1 + k) ** 1.5 / size;
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) dense[i * size + j]! += weight * v[i]! * v[j]!;
  }
  return dense;
})();
const operator = denseOperator(matrix, size);
const spectrum = eigvalsh(matrix, size);
const trace = spectrum.reduce((sum, value) => sum + value, 0);

/** How many of `trials` intervals hold the truth. */
async function coverage(
  truth: number,
  trials: number,
  estimate: (trial: number) => Promise<{ low: number; high: number }>,
) {
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { low, high } = await estimate(trial);
    if (low <= truth && truth <= high) held++;
  }
  return held / trials;
}

// Of 200 intervals that hold the truth with probability 0.95 at least 180 do, but for one case in 500 (binomial tail).
describe("the truth lies inside the stated interval in at least 90 % of 200 seeded trials", () => {
  test("tr A by Hutchinson", async () => {
    const share = await coverage(trace, 200, (i) => hutchinson(operator, { products: 20, random: createRandom(i) }));
    expect(share).toBeGreaterThanOrEqual(0.9);
  });
  test("tr A by Hutch++", async () => {
    const share = await coverage(trace, 200, (i) => hutchPlusPlus(operator, { products: 30, random: createRandom(i) }));
    expect(share).toBeGreaterThanOrEqual(0.9);
  });
  test("tr f(A) by stochastic Lanczos quadrature", async () => {
    const f = (x: number) => x / (2 - 0.3 * x);
    const truth = spectrum.reduce((sum, value) => sum + f(value), 0);
    const share = await coverage(truth, 200, async (i) =>
      traceOfFunction(await spectralQuadrature(operator, { probes: 10, iterations: 20, random: createRandom(i) }), f),
    );
    expect(share).toBeGreaterThanOrEqual(0.9);
  });
});

test("Hutch++ errs less than Hutchinson for the same products, where the spectrum decays", async () => {
  const squares = { plain: 0, plus: 0 };
  for (let i = 0; i < 60; i++) {
    squares.plain += ((await hutchinson(operator, { products: 30, random: createRandom(i) })).value - trace) ** 2;
    squares.plus += ((await hutchPlusPlus(operator, { products: 30, random: createRandom(i) })).value - trace) ** 2;
  }
  expect(squares.plus).toBeLessThan(squares.plain / 4);
});

test("Hutch++ is exact where its sketch spans the space", async () => {
  const small = denseOperator(Float64Array.of(2, 1, 0, 1, 3, 0, 0, 0, 1), 3);
  const { value, standardError } = await hutchPlusPlus(small, { products: 9, random: createRandom(4) });
  expect(value).toBeCloseTo(6, 10);
  expect(standardError).toBe(0);
});

describe("spectral density", () => {
  test("has integral 1, and the mass of the spectrum where the spectrum is", async () => {
    const quadrature = await spectralQuadrature(operator, { probes: 40, iterations: 60, random: createRandom(1) });
    const { grid, density, standardError, width } = spectralDensity(quadrature, { points: 2000 });
    const step = grid[1]! - grid[0]!;
    // Six widths in all lie outside the grid's ends: Φ(−3) = 0.13 % at most is cut off at each.
    expect(density.reduce((sum, y) => sum + y * step, 0)).toBeCloseTo(1, 2);
    // Against the exact spectrum, broadened alike, within four standard errors nearly everywhere.
    const exact = grid.map(
      (x) =>
        spectrum.reduce((sum, v) => sum + Math.exp(-0.5 * ((x - v) / width) ** 2), 0) /
        (size * width * Math.sqrt(2 * Math.PI)),
    );
    const outside = exact.filter((y, i) => Math.abs(y - density[i]!) > 4 * standardError[i]! + 1e-6).length;
    expect(outside / grid.length).toBeLessThan(0.02);
  });
  test("is plain data", async () => {
    const density = spectralDensity(await spectralQuadrature(operator, { random: createRandom(2) }));
    expect(JSON.parse(JSON.stringify(density))).toEqual(density);
  });
  test("refuses a width of nothing", async () => {
    const quadrature = await spectralQuadrature(operator, { random: createRandom(2) });
    expect(() => spectralDensity(quadrature, { width: 0 })).toThrow("width: expected a number above 0, got 0");
  });
});

describe("top eigenpairs", () => {
  test.each([1, 4])("%i, in a basis that need not fit: restarts find the same", async (count) => {
    const expected = spectrum.slice(-count).reverse();
    for (const memoryBudget of [2 ** 30, 8 * size * 12]) {
      const found = await topEigenpairs(operator, {
        count,
        random: createRandom(1),
        tolerance: 1e-8,
        maxProducts: 2000,
        memoryBudget,
      });
      expect(found.converged).toBe(true);
      expected.forEach((value, k) => expect(found.values[k]).toBeCloseTo(value, 8));
      if (memoryBudget < 2 ** 30) expect(found.basisVectors).toBeLessThanOrEqual(12);
    }
  });
  test("residuals are what they say, also when the products run out", async () => {
    const { values, vectors, ritzResiduals, converged } = await topEigenpairs(operator, {
      count: 2,
      random: createRandom(3),
      maxProducts: 6,
      tolerance: 1e-10,
    });
    expect(converged).toBe(false);
    for (let k = 0; k < 2; k++) {
      const product = await operator.apply(vectors[k]!);
      const residual = Math.hypot(...product.map((x, i) => x - values[k]! * vectors[k]![i]!));
      expect(ritzResiduals[k]).toBeCloseTo(residual, 8);
    }
  });
  test.each([
    [{ count: 0 }, "count: expected a whole number from 1 to 80, got 0"],
    [{ count: 81 }, "count"],
    [{ tolerance: 0 }, "tolerance: expected a number above 0 and below 1, got 0"],
    [{ maxProducts: 0 }, "maxProducts"],
    [{ memoryBudget: 100 }, "memoryBudget: expected at least 2560 bytes, got 100"],
  ])("refuses %o", async (options, message) => {
    await expect(topEigenpairs(operator, { random: createRandom(1), ...options })).rejects.toThrow(message);
  });
});

describe.each(mlpCases())("K without the NTK: $title", ({ model, loss, params, split, reference }) => {
  test("K_highDim and K_trace from the Gauss–Newton matrix hold the reference's within four standard errors", async () => {
    const gaussNewton = await openCurvature(objective(model, loss), model.params, { matrix: "gaussNewton" });
    const at = await gaussNewton.at(params, split);
    const quadrature = await spectralQuadrature(at, { probes: 20, iterations: 60, random: createRandom(1) });
    const { batchSize, learningRate, kHighDim, kTrace } = reference.noiseKernel;
    const { outputs } = model;
    const settings = { examples: split.examples, outputs, batchSize, sampling: "bernoulli" as const };
    const highDim = highDimFromQuadrature(quadrature, settings, learningRate);
    expect(Math.abs(highDim.value - kHighDim)).toBeLessThan(4 * highDim.standardError + 1e-4 * kHighDim);
    const traced = traceKernelEstimate(await hutchPlusPlus(at, { random: createRandom(2) }), {
      learningRate,
      batchSize,
      outputs,
    });
    expect(Math.abs(traced.value - kTrace)).toBeLessThan(4 * traced.standardError + 1e-4 * kTrace);
    expect(highDimFromQuadrature(quadrature, settings, 10 * learningRate * 1e3).value).toBe(Infinity);
    await gaussNewton.dispose();
  });
});

test("K_highDim of a dense Θ: theory's sum over its eigenvalues, on average, with momentum and weight decay", async () => {
  const settings = { batchSize: 4, momentum: 0.5, weightDecay: 0.01, sampling: "without-replacement" as const };
  const truth = highDimNoiseKernel(spectrum, 40, { ...settings, learningRate: 0.2 });
  const estimates = [];
  for (let i = 0; i < 100; i++) {
    const quadrature = await spectralQuadrature(operator, { probes: 10, iterations: 20, random: createRandom(i) });
    estimates.push(highDimFromQuadrature(quadrature, { ...settings, examples: 40, outputs: 2 }, 0.2).value);
  }
  const { value, standardError } = estimateOf(estimates);
  expect(standardError).toBeLessThan(0.03 * truth);
  expect(Math.abs(value - truth)).toBeLessThan(4 * standardError);
});
