import { graph, tensor } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { linearSystem, noiseKernel, probeNoiseKernel } from "@sedge/theory";
import { describe, expect, test } from "vitest";
import { outputHessianRoots } from "../../objectives/objective.js";
import { denseJacobian, denseKernel, testModels, type TestModel } from "../ntk/testing.js";
import { conjugateBlocks } from "../noise-kernel.js";
import type { OptimizerSettings } from "../optimizer-dynamics.js";
import { attributeNoiseKernel, type AttributeOptions } from "./attribute.js";

/**
 * Truth: the dense float64 Jacobian, with the preconditioner and the output curvature put on it here, and the theory of it.
 * Ours is float32: 5e-6 of Θ; K divides by 2 − ηλ, which at the edges used here is at least 0.5, and is the root of a
 * positive map: some 1e-5. The parts' K are found to 1e-4.
 */
const FLOAT32 = 1e-4;

const model = (name: string): TestModel => testModels.find((each) => each.name === name)!;

function labelsOf({ examples, outputs }: TestModel): Float32Array {
  const targets = new Float32Array(examples * outputs);
  for (let i = 0; i < examples; i++) targets[i * outputs + ((7 * i) % outputs)] = 1;
  return targets;
}

function optionsFor(each: TestModel, optimizer: OptimizerSettings, loss: AttributeOptions["loss"]): AttributeOptions {
  const probe = {
    inputs: each.inputs,
    targets: labelsOf(each),
    indices: Array.from({ length: each.examples }, (_, i) => 100 + 3 * i),
  };
  return { model: each, loss, params: each.values, probe, optimizer, batchSize: 2, population: 500 };
}

/** Mean squares as Adam would hold them after many steps. */
function moments({ params }: TestModel): Record<string, Float32Array> {
  const random = createRandom("moments");
  return Object.fromEntries(
    params.map(({ name, shape }) => [
      name,
      Float32Array.from({ length: shape.reduce((a, x) => a * x, 1) }, () => 0.1 + random.uniform()),
    ]),
  );
}

describe.each(["convolutions", "normalisations", "attention", "tied weights", "no layer rules", "one position"])(
  "%s",
  (name) => {
    const each = model(name);
    const { examples, outputs } = each;

    test.each(["sgd, squared", "nesterov, cross-entropy", "adam, cross-entropy"])("%s", async (kind) => {
      const loss = kind.endsWith("squared") ? "squared" : "cross-entropy";
      const { jacobian, size, columns } = await denseJacobian(each, each.values, each.inputs);
      const secondMoment = moments(each);
      const divisor = kind.startsWith("adam")
        ? Float64Array.from(
            each.params.flatMap(({ name: param }) => [...secondMoment[param]!].map((v) => Math.sqrt(v) + 1e-8)),
          )
        : undefined;
      const lambda = Math.max(
        ...linearSystem({
          ntk: denseKernel(jacobian, size, examples, { ...(divisor && { divisor }) }),
          examples,
          outputs,
        }).spectrum,
      );
      const learningRate = 0.5 / lambda;
      const optimizer: OptimizerSettings = kind.startsWith("adam")
        ? { kind: "adam", learningRate: learningRate / 0.1, step: 1e6, secondMoment }
        : kind.startsWith("sgd")
          ? { kind: "sgd", learningRate, momentum: 0.5, weightDecay: 0.01 }
          : { kind: "sgd", learningRate, momentum: 0.5, nesterov: true };
      const result = await attributeNoiseKernel(optionsFor(each, optimizer, loss));
      const { attribution, dynamics } = result;

      const { compile } = await import("@sedge/autodiff");
      const session = await compile(each.graph, { precision: "float64" });
      const feeds = [
        ...Object.entries(each.inputs),
        ...each.params.map((spec) => [spec.name, tensor(each.values[spec.name]!, spec.shape)] as const),
      ];
      const { output } = await session.run(
        Object.fromEntries(
          feeds.map(([key, value]) => [
            key,
            value.type === "float32" ? tensor(Float64Array.from(value.data as Float32Array), value.shape) : value,
          ]),
        ),
      );
      await session.dispose();
      const roots = outputHessianRoots(loss, output!.data as Float64Array, outputs);
      const kernelOf = (first = 0, count = size) => {
        const plain = denseKernel(jacobian, size, examples, { first, count, ...(divisor && { divisor }) });
        return roots ? conjugateBlocks(plain, roots, examples, outputs) : plain;
      };
      const truth = probeNoiseKernel({ ntk: kernelOf(), examples, outputs }, dynamics, { tolerance: 1e-8 });
      for (const norm of ["exact", "diagonal", "highDim", "trace"] as const) {
        expectRelative(attribution.kernel[norm].value, truth[norm].value, FLOAT32);
      }
      expectRelative(attribution.lambdaMax, truth.lambdaMax, FLOAT32);
      expectRelative(
        result.edge * (attribution.deterministicRatio / (attribution.lambdaMax + (dynamics.weightDecay ?? 0))),
        1,
        0.02,
      );

      for (const share of attribution.params) {
        const { first, size: count } = columns.get(share.name)!;
        const part = kernelOf(first, count);
        const own = noiseKernel(linearSystem({ ntk: part, examples, outputs }), dynamics);
        expect(Math.abs(share.noiseKernel - own.exact)).toBeLessThan(2e-4 * truth.exact.value);
        let trace = 0;
        for (let k = 0; k < examples * outputs; k++) trace += part[k * examples * outputs + k]!;
        expect(Math.abs(share.traceShare - trace / truth.system.trace)).toBeLessThan(FLOAT32);
      }
      for (const shares of [attribution.params, attribution.layers]) {
        for (const key of ["traceShare", "lambdaMaxShare", "perronShare"] as const) {
          expectRelative(
            shares.reduce((sum, share) => sum + share[key], 0),
            1,
            1e-4,
          );
        }
      }
      const weights = attribution.responsible.map(({ weight }) => weight);
      expectRelative(
        weights.reduce((sum, x) => sum + x, 0),
        1,
        1e-6,
      );
      for (const { index, place } of attribution.responsible) expect(index).toBe(100 + 3 * place);
      expect(JSON.parse(JSON.stringify(attribution))).toEqual(attribution);
    });
  },
);

test("layers are weights with their biases, scales with their shifts", async () => {
  const each = model("normalisations");
  const { attribution } = await attributeNoiseKernel(optionsFor(each, { kind: "sgd", learningRate: 0.01 }, "squared"));
  expect(attribution.layers.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
    "w1: convolution",
    "batch: scale",
    "group: scale",
    "instance: scale",
    "layer: scale",
    "rms: scale",
    "w + b: dense",
  ]);
});

test("a loss given as a graph is differentiated: a cross-entropy written by hand has the K of the one by name", async () => {
  const each = model("convolutions");
  const loss = graph((b) => {
    const y = b.input("y", ["batch"], "int64");
    return { loss: b.crossEntropy(b.input("output", ["batch", 3]), y) };
  });
  const optimizer = { kind: "sgd", learningRate: 0.01 } as const;
  const named = optionsFor(each, optimizer, "cross-entropy");
  const labels = tensor(
    Array.from({ length: each.examples }, (_, i) => (7 * i) % 3),
    [each.examples],
    "int64",
  );
  const byGraph = await attributeNoiseKernel({ ...named, loss, probe: { ...named.probe, targets: labels } });
  const byName = await attributeNoiseKernel(named);
  const byLabel = await attributeNoiseKernel({ ...named, probe: { ...named.probe, targets: labels } });
  expectRelative(byGraph.attribution.kernel.exact.value, byName.attribution.kernel.exact.value, 1e-5);
  expect(byLabel.attribution.kernel.exact.value).toBe(byName.attribution.kernel.exact.value);
});

test("sampled outputs are said to be sampled, and their K divides by the outputs there are", async () => {
  const each = model("convolutions");
  const options = optionsFor(each, { kind: "sgd", learningRate: 0.01 }, "mean-squared");
  const { attribution: whole } = await attributeNoiseKernel(options);
  const { attribution } = await attributeNoiseKernel({ ...options, sampledOutputs: 200 });
  expect(whole.sampledOutputs).toBeNull();
  expect(attribution.sampledOutputs).toBe(200);
  expect(attribution.notes.join()).toContain("200 random directions for each example instead of all 3 outputs");
  // 200 signs for each of 5 examples: relative errors of some 1/√1000 of the trace's off-diagonal part.
  expectRelative(attribution.kernel.trace.value, whole.kernel.trace.value, 0.1);
  expectRelative(attribution.kernel.exact.value, whole.kernel.exact.value, 0.1);
});

describe("what does not fit is refused", () => {
  const each = model("one position");
  const good = optionsFor(each, { kind: "sgd", learningRate: 0.01 }, "squared");
  const refused = (change: Partial<AttributeOptions>, message: string) =>
    expect(attributeNoiseKernel({ ...good, ...change })).rejects.toThrow(message);
  const lossOf = (build: Parameters<typeof graph>[0]) => graph(build);

  test("a probe larger than the data", () =>
    refused({ population: 5 }, "noiseKernel: expected a probe of 2 to 5 training examples, got 6."));
  test("a batch larger than the data", () =>
    refused({ batchSize: 501 }, "noiseKernel: batchSize: expected a whole number from 1 to 500, got 501."));
  test("labels out of range", () =>
    refused(
      { loss: "cross-entropy", probe: { ...good.probe, targets: tensor([0, 1, 2, 3, 0, 1], [6], "int64") } },
      "noiseKernel: label 3 is 3; allowed are 0…2.",
    ));
  test("targets that are not finite", () =>
    refused(
      { probe: { ...good.probe, targets: new Float32Array(18).fill(NaN) } },
      "noiseKernel: targets: expected finite numbers, got NaN at element 0.",
    ));
  test("weights that are not finite", () =>
    refused(
      { params: { ...each.values, w2: new Float32Array(24).fill(Infinity) } },
      'noiseKernel: parameter "w2": expected finite numbers, got Infinity at element 0.',
    ));
  test("more outputs than memory allows, where they may not be sampled", async () => {
    const loss = lossOf((b) => ({ loss: b.squaredLoss(b.input("output", ["batch", 3]), b.input("y", ["batch", 3])) }));
    await refused(
      { loss, memoryBudget: 8000 },
      "noiseKernel: sampledOutputs: expected a squared or cross-entropy loss, got a graph: nothing is known to draw from.",
    );
  });
  test("a loss that is a sum over examples", async () => {
    const loss = lossOf((b) => {
      const residual = b.sub(b.input("output", ["batch", 3]), b.input("y", ["batch", 3]));
      return { loss: b.reduceSum(b.mul(residual, residual)) };
    });
    await refused({ loss }, "loss: expected a mean over examples, got ");
  });
  test("a loss that is not convex in the output", async () => {
    const loss = lossOf((b) => {
      const residual = b.sub(b.input("output", ["batch", 3]), b.input("y", ["batch", 3]));
      return { loss: b.neg(b.reduceMean(b.reduceSum(b.mul(residual, residual), [1]))) };
    });
    await refused(
      { loss },
      "lossCurvature: expected a loss that is convex in the output, got a curvature of -2.00 at example 0",
    );
  });
  test("a decay that the preconditioner distorts", () =>
    refused(
      { optimizer: { kind: "adam", learningRate: 0.1, step: 1, secondMoment: moments(each), weightDecay: 0.1 } },
      "adam: weightDecay: expected 0, got 0.1",
    ));
  test("a preconditioner that is not positive", () =>
    refused(
      {
        optimizer: {
          kind: "rmsprop",
          learningRate: 0.1,
          squareAverage: { ...moments(each), w1: new Float32Array(40).fill(-1) },
        },
      },
      'rmsprop: mean squares of "w1": expected finite numbers of at least 0, got -1 at element 0.',
    ));
});

function expectRelative(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * Math.abs(expected));
}
