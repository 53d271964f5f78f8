import { createRandom } from "@sedge/linalg";
import type { ProbeNoiseKernel } from "@sedge/theory";
import { expect, test } from "vitest";
import { attributeNoiseKernel } from "../curvature/attribution/attribute.js";
import type { Dataset, Split } from "../data/dataset.js";
import { cnn } from "../models/cnn.js";
import type { AttributionRecordData, ExamplesRecordData, NtkSpectrumRecordData } from "../run/records.js";
import { memorySink } from "../run/sinks.js";
import { train } from "../training/train.js";
import { examplesRecord } from "./kernel-records.js";

const shape = [6, 6, 1];
const classes = 3;
const dataset: Dataset = {
  name: "squares",
  description: "random images of three classes",
  inputShape: shape,
  outputs: classes,
  train: images(24, "train"),
  test: images(6, "test"),
};
const model = cnn({ inputShape: shape, widths: [3], outputs: classes });
const config = { data: { examples: 24 }, loss: "cross-entropy", learningRate: 0.05, batchSize: 2, steps: 4 } as const;
const sink = memorySink();
const result = await train(
  { ...config, probes: { measure: ["noiseKernel"], count: 2, examples: 24 } },
  { dataset, model, sinks: [sink] },
);
const recorded = (kind: string) =>
  sink.events.flatMap((event) => (event.type === "record" && event.kind === kind ? [event] : []));

test("every measurement of K records its spectrum, its layers and its examples at its step", () => {
  for (const kind of ["spectrum/ntk", "attribution", "examples"]) {
    expect(recorded(kind).map(({ step }) => step)).toEqual([0, 4]);
  }
});

// Another way to the same numbers: kernels of each layer, of which the shares are read off. Both are float32 inside: 1e-4. K
// is found to 1e-5, by Lanczos from different starts, so its Perron vector to √1e-5 = 3e-3.
test("layers, spectrum and examples are those of the kernels themselves", async () => {
  const [, last] = recorded("examples");
  const examples = last!.data as unknown as ExamplesRecordData;
  const spectrum = recorded("spectrum/ntk")[1]!.data as unknown as NtkSpectrumRecordData;
  const attribution = recorded("attribution")[1]!.data as unknown as AttributionRecordData;
  const { attribution: wanted, edge } = await attributeNoiseKernel({
    model,
    loss: "cross-entropy",
    params: result.params,
    probe: dataset.train, // the whole set: nothing but the error bars depends on its order
    optimizer: { kind: "sgd", learningRate: config.learningRate },
    batchSize: config.batchSize,
    population: 24,
    sampling: "with-replacement",
  });
  expect(attribution.layers.map(({ name, kind, size }) => ({ name, kind, size }))).toEqual(
    wanted.layers.map(({ name, kind, size }) => ({ name, kind, size })),
  );
  const within = { traceShare: 1e-4, lambdaMaxShare: 1e-4, perronShare: 3e-3 };
  for (const share of ["traceShare", "lambdaMaxShare", "perronShare"] as const) {
    expect(attribution.layers.reduce((sum, layer) => sum + layer[share], 0)).toBeCloseTo(1, 10);
    attribution.layers.forEach((layer, k) =>
      expect(Math.abs(layer[share] - wanted.layers[k]![share])).toBeLessThan(within[share]),
    );
  }
  expect(attribution.noiseKernel / wanted.kernel.exact.value).toBeCloseTo(1, 3);
  expect(spectrum.eigenvalues).toHaveLength(72);
  expect(spectrum.eigenvalues.at(-1)! / wanted.lambdaMax).toBeCloseTo(1, 4);
  expect(spectrum.edge / edge).toBeCloseTo(1, 6);
  expect(examples.responsible.map(({ index }) => index)).toEqual(wanted.responsible.map(({ index }) => index));
  const first = examples.responsible[0]!;
  expect(first.label).toBe(
    dataset.train.targets.subarray(first.index * classes, (first.index + 1) * classes).indexOf(1),
  );
  expect(Buffer.from(first.image!.pixels, "base64")).toHaveLength(36);
  expect(examples.effectiveExamples).toBeGreaterThanOrEqual(1);
  expect(examples.effectiveExamples).toBeLessThanOrEqual(24);
});

test("inputs that are no images, and targets that are no classes, are left out", () => {
  const flat = {
    ...dataset,
    inputShape: [36],
    train: { ...dataset.train, targets: dataset.train.targets.map((x) => x / 2) },
  };
  const exampleWeights = Float64Array.of(0.25, 0.75);
  const kernel = { exact: { value: 1 }, exampleWeights } as unknown as ProbeNoiseKernel;
  const record = examplesRecord(kernel, flat, [4, 9], new Float32Array(6));
  expect(record!.data["responsible"]).toEqual([
    { index: 9, weight: 0.75 },
    { index: 4, weight: 0.25 },
  ]);
  expect(record!.data["effectiveExamples"]).toBe(1 / (0.25 ** 2 + 0.75 ** 2));
  expect(examplesRecord({ ...kernel, exampleWeights: new Float64Array(2) }, flat, [4, 9], [])).toBeNull();
});

// The probe is the whole training set, so its loss is the run's own: float32 sums over 72 outputs, 1e-5.
test("of a squared loss, the spectrum says how the residual lies among the modes; of others it does not", async () => {
  const memory = memorySink();
  const probes = { measure: ["loss", "gradient", "noiseKernel"], count: 2, examples: 24 } as const;
  await train(
    { ...config, loss: "squared", probes: { ...probes, measure: [...probes.measure] } },
    { dataset, model, sinks: [memory] },
  );
  const spectra = memory.events.flatMap((event) =>
    event.type === "record" && event.kind === "spectrum/ntk"
      ? [{ step: event.step, data: event.data as unknown as NtkSpectrumRecordData }]
      : [],
  );
  expect(spectra.map(({ step }) => step)).toEqual([0, 4]);
  for (const { step, data } of spectra) {
    const measured = memory.events.find(
      (event) => event.type === "metrics" && event.step === step && "loss/train" in event.values,
    );
    const { values } = measured as { values: Record<string, number> };
    expect(Math.abs(data.loss! / values["loss/train"]! - 1)).toBeLessThan(1e-5);
    expect(data.residuals).toHaveLength(data.eigenvalues.length);
    // ∇L = Jᵀz/n, so ‖∇L‖² = zᵀΘz/n. Float32 products on both sides: 1e-4.
    const square = data.residuals!.reduce((sum, of, mu) => sum + of * data.eigenvalues[mu]!, 0) / 24;
    expect(Math.abs(Math.sqrt(square) / values["gradient/norm"]! - 1)).toBeLessThan(1e-4);
  }
  expect(recorded("spectrum/ntk")[0]!.data).not.toHaveProperty("residuals"); // cross-entropy
});

function images(examples: number, name: string): Split {
  const random = createRandom("squares").fork(name);
  const targets = new Float32Array(examples * classes);
  for (let i = 0; i < examples; i++) targets[i * classes + random.integer(classes)] = 1;
  return { examples, inputs: Float32Array.from(random.normals(examples * 36)), targets };
}
