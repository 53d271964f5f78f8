import { advise, adviceText, criticalValues } from "@sedge/lab/advice";
import { createRandom, eigvalsh, multiplySymmetric } from "@sedge/linalg";
import {
  criticalBatchSize,
  criticalLearningRate,
  linearSystem,
  noiseKernel,
  probeNoiseKernel,
  spectralRadius,
} from "@sedge/theory";
import { expect, test } from "vitest";
import { IngestError } from "../../errors.js";
import { analyseProbe } from "./analyse-probe.js";
import { largestGram, readProbeRequest } from "./probe-request.js";

const examples = 12;
const outputs = 3;
const params = 60;
const size = examples * outputs;
const jacobian = createRandom("probe").normals(size * params);
/** Plain inner products of the Jacobian's rows, summed one by one. */
const gram = Array.from({ length: size * size }, (_, index) => {
  const [i, j] = [Math.floor(index / size), index % size];
  let sum = 0;
  for (let p = 0; p < params; p++) sum += jacobian[i * params + p]! * jacobian[j * params + p]!;
  return sum;
});
const settings = {
  learningRate: 0.02,
  batchSize: 4,
  population: 500,
  momentum: 0.5,
  sampling: "with-replacement",
} as const;
const body = { step: 7, examples, outputs, ...settings };
const json = (value: object) => ({ bytes: new TextEncoder().encode(JSON.stringify(value)), query: null });
const query = (value: object) => Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
const analyse = (value: object) => analyseProbe(readProbeRequest(json(value)));

test("a Gram gives K in every form with error bars, λ_max and both edges, as the theory computes them from the Jacobian", () => {
  const { noiseKernel: norms, lambdaMax, deterministicRatio, spectrum, topExamples } = analyse({ ...body, gram });
  // An independent way to the same numbers: from the Jacobian itself. A probe's K is solved for to 1e-5.
  const system = linearSystem({ jacobian, examples, outputs });
  const direct = noiseKernel(system, settings);
  for (const norm of ["exact", "diagonal", "highDim", "trace"] as const) {
    expect(Math.abs(norms[norm]!.value / direct[norm] - 1)).toBeLessThan(1e-5);
    expect(norms[norm]!.standardError).toBeGreaterThan(0);
  }
  expect(Math.abs(lambdaMax! / direct.lambdaMax - 1)).toBeLessThan(1e-12);
  expect(deterministicRatio).toBeCloseTo((settings.learningRate * lambdaMax!) / (2 * 1.5), 12);
  const theta = multiplySymmetric(jacobian, jacobian, { size, inner: params, transposeB: true }).map(
    (x) => x / examples,
  );
  const eigenvalues = eigvalsh(theta, size);
  for (const [i, value] of spectrum.entries())
    expect(Math.abs(value - eigenvalues[i]!)).toBeLessThan(1e-12 * lambdaMax!);
  expect(topExamples).toHaveLength(10);
  expect(topExamples.map(({ weight }) => weight)).toEqual(
    topExamples.map(({ weight }) => weight).sort((a, b) => b - a),
  );
});

test("the critical learning rate is where the second moment stops decaying", () => {
  const small = { ...body, population: examples, momentum: 0 };
  const { criticalLearningRate } = analyse({ ...small, gram });
  const { value: learningRate, edge } = criticalLearningRate!;
  expect(edge).toBe("stochastic");
  // The whole recursion of E[zzᵀ], which knows nothing of K. K is solved for to 1e-10; the radius is as smooth as K there.
  const system = linearSystem({ jacobian, examples, outputs });
  const radius = spectralRadius(system, { ...settings, momentum: 0, population: examples, learningRate });
  expect(Math.abs(radius - 1)).toBeLessThan(1e-6);
});

test.each(["float32", "float64"] as const)("a raw body of %s says the same as JSON", (dtype) => {
  const bytes = new Uint8Array((dtype === "float32" ? Float32Array : Float64Array).from(gram).buffer);
  const { noiseKernel: norms } = analyseProbe(readProbeRequest({ bytes, query: query({ ...body, dtype }) }));
  const { noiseKernel: expected } = analyse({ ...body, gram });
  // float32 rounds every product to 6e-8; a Gram's eigenvalues move by no more than the norm of that.
  const tolerance = dtype === "float32" ? 1e-5 : 0;
  expect(Math.abs(norms.exact!.value / expected.exact!.value - 1)).toBeLessThanOrEqual(tolerance);
});

test("rows and a flat list are the same Gram", () => {
  const rows = Array.from({ length: size }, (_, i) => gram.slice(i * size, (i + 1) * size));
  expect(analyse({ ...body, gram: rows })).toEqual(analyse({ ...body, gram }));
});

test("a trace gives K by the trace, η tr Θ/(2BC(1 − m)), and no more", () => {
  const analysis = analyse({ ...body, kind: "trace", trace: 30 });
  expect(analysis.noiseKernel).toEqual({
    trace: { value: (0.02 * 30) / (2 * 4 * 3 * 0.5), standardError: NaN, halfProbe: NaN, low: NaN, high: NaN },
  });
  expect([analysis.lambdaMax, analysis.deterministicRatio, analysis.advice.text]).toEqual([
    null,
    null,
    "No advice: neither edge was measured.",
  ]);
});

test("gradients with sampled labels: means over the modes come out right, and K reads high, less so with more samples", () => {
  // Squared loss: a label drawn from the model is its output plus unit normal noise, so a gradient is a normal mix of J_i's rows.
  const sampledGram = (samples: number, name: string) => {
    const random = createRandom(name);
    const rows = new Float64Array(examples * samples * params);
    for (let row = 0; row < examples * samples; row++) {
      const noise = random.normals(outputs);
      const example = Math.floor(row / samples);
      for (let p = 0; p < params; p++) {
        for (let c = 0; c < outputs; c++)
          rows[row * params + p]! += noise[c]! * jacobian[(example * outputs + c) * params + p]!;
      }
    }
    return [...multiplySymmetric(rows, rows, { size: examples * samples, inner: params, transposeB: true })];
  };
  const truth = analyse({ ...body, gram }).noiseKernel;
  const mean = (samples: number) => {
    const draws = Array.from({ length: 16 }, (_, i) => {
      return analyse({ ...body, kind: "gradients", samples, gram: sampledGram(samples, `${samples} ${i}`) })
        .noiseKernel;
    });
    const values = (norm: "exact" | "trace") => draws.map((draw) => draw[norm]!.value);
    const average = (list: number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
    const spread = (list: number[]) =>
      Math.sqrt(average(list.map((x) => (x - average(list)) ** 2)) / (list.length - 1));
    return { exact: average(values("exact")), trace: average(values("trace")), error: spread(values("trace")) };
  };
  const [one, four] = [mean(1), mean(4)];
  // Four standard errors of the mean of 16 draws.
  expect(Math.abs(one.trace - truth.trace!.value)).toBeLessThan(4 * one.error);
  expect(Math.abs(four.trace - truth.trace!.value)).toBeLessThan(4 * four.error);
  expect(one.exact).toBeGreaterThan(four.exact);
  expect(four.exact).toBeGreaterThan(truth.exact!.value);
});

test("past the deterministic edge every K is infinite, and no batch size cures that", () => {
  const { noiseKernel: norms, advice, criticalBatchSize } = analyse({ ...body, learningRate: 5, gram });
  expect(norms.exact!.value).toBe(Infinity);
  expect(advice.verdict).toMatchObject({ state: "past-edge", binding: "deterministic" });
  expect(advice.text).toContain("A larger batch does not help there.");
  expect(criticalBatchSize!.value).toBe(Infinity);
});

test("next to the edge, where the error bar spans the decision, no number is given as advice", () => {
  const { value } = analyse({ ...body, gram }).criticalLearningRate!;
  const { advice } = analyse({ ...body, learningRate: value, gram });
  expect(advice.verdict.state).toBe("at-edge");
  expect(advice.statements.filter(({ change }) => change !== undefined)).toEqual([]);
});

test("the advice is the advisor's, word for word, and the limits are the theory's with the edge that is met", () => {
  const analysis = analyse({ ...body, gram });
  const system = linearSystem({ jacobian, examples, outputs });
  const measured = {
    ...{ learningRate: 0.02, batchSize: 4, population: 500, probe: examples },
    kernel: analysis.noiseKernel.exact!,
    deterministic: { value: analysis.deterministicRatio!, standardError: NaN },
    critical: criticalValues(system, settings, analysis.deterministicRatio!),
    examples: analysis.topExamples.map(({ place, weight }) => ({ index: place, weight })),
  };
  // The Gram holds the Jacobian's products in another order of summation: three digits are the same.
  expect(analysis.advice.text).toBe(adviceText(advise(measured)));
  const { learningRate, batchSize, ...others } = settings;
  const [eta, batch] = [
    criticalLearningRate(system, { ...others, batchSize }),
    criticalBatchSize(system, { ...others, learningRate }),
  ];
  expect([analysis.criticalLearningRate!.edge, analysis.criticalBatchSize!.edge]).toEqual([eta.edge, batch.edge]);
  expect(Math.abs(analysis.criticalLearningRate!.value / eta.value - 1)).toBeLessThan(1e-9);
  expect(Math.abs(analysis.criticalBatchSize!.value / batch.value - 1)).toBeLessThan(1e-9);
});

test.each([
  [{ gram: gram.slice(1) }, "bad-gram", `gram: expected ${size} × ${size} numbers, got ${size * size - 1}`],
  [{ gram: [[1, 2], [3]] }, "bad-gram", `got 2 rows`],
  [{ gram: gram.map((x, i) => (i === size + 2 ? null : x)) }, "bad-gram", "got null at row 1, column 2"],
  [{ gram: gram.map((x, i) => (i === 5 ? x + 1 : x)) }, "bad-gram", "gram: expected a symmetric matrix"],
  [
    { gram: gram.map((x, i) => (i % (size + 1) === 0 ? -x : x)) },
    "bad-gram",
    "gram: expected a positive semidefinite matrix",
  ],
  [{ gram: "x" }, "bad-gram", "expected a list"],
  [{}, "bad-gram", "expected a list"],
  [
    { examples: largestGram, outputs: 2, population: 5000, gram: [] },
    "too-large",
    "expected at most 2048 rows, got 4096",
  ],
  [{ gram, population: 3 }, "bad-request", "population: expected at least the 12 examples"],
  [{ gram, batchSize: 501 }, "bad-request", "batchSize: expected at most the population, 500"],
  [{ gram, momentum: 1 }, "bad-request", "momentum"],
  [{ gram, learningRate: 0 }, "bad-request", "learningRate"],
  [{ gram, step: 1.5 }, "bad-request", "step"],
  [{ gram, kind: "trace" }, "bad-request", "gram: does not go with kind trace"],
  [{ gram, trace: 3 }, "bad-request", "trace: does not go with kind ntk"],
  [{ gram, extra: 1 }, "bad-request", "extra"],
])("what is no probe is refused, named: %#", (changes, code, message) => {
  let error: unknown;
  try {
    analyse({ ...body, ...changes });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(IngestError);
  expect(error).toMatchObject({ code });
  expect((error as Error).message).toContain(message);
});

test("a raw body of another length says how many bytes it should have", () => {
  const request = { bytes: new Uint8Array(10), query: query(body) };
  expect(() => readProbeRequest(request)).toThrow(
    `expected ${size} × ${size} × 4 = ${size * size * 4} bytes of float32, got 10`,
  );
});

test("the error bar is that of probeNoiseKernel on the Gram over n", () => {
  const ntk = gram.map((x) => x / examples);
  const direct = probeNoiseKernel({ ntk, examples, outputs }, settings, { tolerance: 1e-5 }).exact;
  const { standardError, halfProbe } = analyse({ ...body, gram }).noiseKernel.exact!;
  // The same computation, from numbers that differ in their last bit.
  expect(Math.abs(standardError / direct.standardError - 1)).toBeLessThan(1e-9);
  expect(Math.abs(halfProbe / direct.halfProbe - 1)).toBeLessThan(1e-9);
});
