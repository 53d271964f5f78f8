import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportOnnx, graph, type Builder, type Value } from "@sedge/autodiff";
import { criticalLearningRate, noiseKernel } from "@sedge/theory";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixturePath, pytorchFixtures } from "../../../autodiff/src/testing/pytorch-fixture.js";
import type { ImageSet } from "../data/image-set.js";
import { npy, zip } from "../data/testing.js";
import { attributeNoiseKernel } from "../curvature/attribution/attribute.js";
import { BadInput } from "../errors.js";
import { modelFromOnnx } from "../models/model-from-onnx.js";
import { openKeptStages } from "./kept-stages.js";
import { lossFromOnnx } from "./loss-from-onnx.js";
import { measure, type Measurement, type MeasureOptions } from "./measure.js";
import { probeBatch } from "./probe-batch.js";
import { readProbeData, type ProbeData } from "./probe-data.js";
import { writeMeasurement } from "./write-report.js";

const fixture = (name: string) => pytorchFixtures().find((one) => one.name === name)!;

type Arrays = Extract<ProbeData, { kind: "arrays" }>;

/** The fixture's own inputs and targets: all of them are the probe, so PyTorch's values are the truth. */
function dataOf(name: string): Arrays {
  const { inputs, loss } = fixture(name);
  const array = ({ shape, data }: { shape: readonly number[]; data: readonly number[] }) =>
    ({ shape, type: "float64", values: Float64Array.from(data) }) as const;
  const all = new Map(Object.entries(inputs).map(([input, given]) => [input, array(given)]));
  const [first] = all.values();
  return { kind: "arrays", inputs: all.size === 1 ? first! : all, targets: array(loss.targets), description: name };
}

function optionsFor(file: string, name: string): MeasureOptions {
  const path = fixturePath(file);
  const { loss } = fixture(name);
  const data = dataOf(name);
  const examples = data.targets.shape[0]!;
  return {
    ...{ path, file: modelFromOnnx(path), data, loss: loss.kind, examples, curvatureExamples: examples },
    optimizer: { kind: "sgd", learningRate: 0.05 },
    ...{ batchSize: 1, sampling: "without-replacement", spectrum: { probes: 4, iterations: 12 } },
    ...{ topExamples: 3, seed: 0, threads: 1, memoryBudget: 2 ** 30 },
  };
}

let mlp: Measurement;
let progress: number[];
beforeAll(async () => {
  progress = [];
  mlp = await measure({ ...optionsFor("mlp-dynamo-18.onnx", "mlp"), onProgress: ({ done }) => progress.push(done) });
}, 120_000);

describe("measure", () => {
  // Truth: PyTorch's in float64; ours is float32. Lanczos stops at a residual of 1e-3, which is 1e-6 of the value over the gap.
  test("λ_max, loss and trace are PyTorch's", () => {
    const { loss, ntkTrace } = fixture("mlp");
    const stored = fixture("mlp") as unknown as { hessianTopEigenvalue: number; output: { shape: number[] } };
    const { report } = mlp;
    expect(Math.abs(report.data.loss / loss.value - 1)).toBeLessThan(1e-5);
    expect(Math.abs(report.deterministic.lambdaMax.value / stored.hessianTopEigenvalue - 1)).toBeLessThan(1e-3);
    // K_trace = η tr Θ/(2BC)
    const trace = (0.05 * ntkTrace) / (2 * 1 * stored.output.shape[1]!);
    expect(Math.abs(report.noiseKernel.trace.value / trace - 1)).toBeLessThan(1e-5);
    expect(report.deterministic.edge).toBeCloseTo(40, 8); // 2/η
  });

  test("K is 1 at the critical learning rate and at the critical batch size that it reports", async () => {
    const { model, split } = mlp.batch;
    const { system, dynamics } = await attributeNoiseKernel({
      ...{ model, loss: "squared", params: model.values, optimizer: { kind: "sgd", learningRate: 0.05 } },
      ...{ batchSize: 1, population: split.examples },
      probe: { inputs: split.inputs, targets: split.targets },
    });
    const { critical } = mlp.report;
    const at = { ...dynamics, learningRate: critical.learningRate.value };
    const { edge } = criticalLearningRate(system, dynamics);
    if (edge === "stochastic") expect(noiseKernel(system, at).exact).toBeCloseTo(1, 6);
    else expect(at.learningRate * system.lambdaMax).toBeCloseTo(2, 6);
  });

  test("shares add up, the examples are of the data, progress goes forward", () => {
    const { layers, examples, advice } = mlp.report;
    for (const key of ["traceShare", "lambdaMaxShare"] as const) {
      expect(layers.reduce((sum, layer) => sum + layer[key], 0)).toBeCloseTo(1, 6);
    }
    const count = mlp.batch.available;
    for (const { index, place } of examples) expect(mlp.batch.indices[place]).toBe(index);
    expect(new Set(mlp.batch.indices).size).toBe(count);
    expect(advice.length).toBeGreaterThan(0);
    expect(progress.every((done, i) => i === 0 || done >= progress[i - 1]!)).toBe(true);
  });

  test("Adam's edge is (2 + 2β₁)/((1 − β₁)η) of the preconditioned Hessian", async () => {
    const options = optionsFor("mlp-dynamo-18.onnx", "mlp");
    const { report } = await measure({ ...options, optimizer: { kind: "adam", learningRate: 1e-3 } });
    expect(report.deterministic.edge / ((2 + 1.8) / (0.1 * 1e-3))).toBeCloseTo(1, 6);
    expect(report.settings.optimizer).toMatch(/^Adam/);
    expect(report.notes.join(" ")).toMatch(/preconditioner is estimated from 32 minibatches/);
    const decayed = await measure({ ...options, optimizer: { kind: "adam", learningRate: 1e-3, weightDecay: 0.1 } });
    expect(decayed.report.settings.optimizer).toMatch(/δ = 0\.1/);
    expect(decayed.report.notes.join(" ")).toMatch(
      /L2 decay δ = 0\.1 is divided by the preconditioner.*counts as their mean/,
    );
    expect(decayed.report.noiseKernel.exact.value).toBeLessThan(report.noiseKernel.exact.value);
  }, 60_000);

  // Truth: PyTorch's, of a model written as Hugging Face's are, with token numbers, their mask and their kinds.
  test("a model with several inputs takes those of its arrays that have their names", async () => {
    const options = optionsFor("bert-torchscript-14.onnx", "bert");
    const { report } = await measure({ ...options, topExamples: 1 });
    const stored = fixture("bert") as unknown as { hessianTopEigenvalue: number };
    expect(Math.abs(report.data.loss / fixture("bert").loss.value - 1)).toBeLessThan(1e-5);
    expect(Math.abs(report.deterministic.lambdaMax.value / stored.hessianTopEigenvalue - 1)).toBeLessThan(1e-3);
    expect(report.examples[0]!.label).toMatch(/^[012]$/); // the classes of its targets
  });

  test("more outputs than memory has room for: K of sampled ones, and a note says so", async () => {
    // 3 examples of 55 outputs make 165 rows; with a kernel for each of 16 parameters, 256 KiB have room for 21.
    const options = optionsFor("gpt-dynamo-20.onnx", "gpt");
    const { report } = await measure({ ...options, memoryBudget: 2 ** 18, spectrum: { probes: 2, iterations: 2 } });
    expect(report.notes.join(" ")).toMatch(/sampled/);
    expect(report.noiseKernel.exact.value).toBeGreaterThan(0);
  });

  test("an abort ends it with the signal's reason", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(measure({ ...optionsFor("mlp-dynamo-18.onnx", "mlp"), signal })).rejects.toThrow("enough");
  });
});

describe("a loss from a file", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-loss-"))));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Of the differences between outputs and targets, [batch, 3]. */
  function lossFile(name: string, of: (b: Builder, difference: Value) => Value) {
    const loss = graph((b) => {
      const difference = b.sub(b.input("f", ["batch", 3]), b.input("t", ["batch", 3]));
      return { result: of(b, difference) };
    });
    const path = join(folder, name);
    writeFileSync(path, exportOnnx(loss));
    return path;
  }

  test("gives what the same loss by name gives", async () => {
    const half = (b: Builder, d: Value) => b.mul(b.reduceMean(b.reduceSum(b.mul(d, d), [1])), 0.5);
    const loss = lossFromOnnx(lossFile("half.onnx", half));
    const { report } = await measure({ ...optionsFor("mlp-dynamo-18.onnx", "mlp"), loss });
    expect(report.settings.loss).toBe("half.onnx");
    // The same float32 sums in another order; Lanczos to 1e-3 of residual.
    const [own, named] = [report, mlp.report].map(({ noiseKernel, deterministic: { lambdaMax } }) => [
      ...[noiseKernel.exact.value, noiseKernel.trace.value, lambdaMax.value],
    ]);
    own!.forEach((value, i) => expect(Math.abs(value / named![i]! - 1)).toBeLessThan(1e-4));
  });

  test("that is no mean over examples is refused, as are other inputs and outputs", async () => {
    const sum = lossFromOnnx(lossFile("sum.onnx", (b, d) => b.reduceSum(b.mul(d, d))));
    const options = optionsFor("mlp-dynamo-18.onnx", "mlp");
    await expect(measure({ ...options, loss: sum })).rejects.toThrow(
      /loss: expected a mean over examples, got .* for 6/,
    );
    expect(() => lossFromOnnx(lossFile("each.onnx", (b, d) => b.mul(d, d)))).toThrow(
      /expected a scalar.*got \[batch, 3\]/,
    );
    expect(() => lossFromOnnx(fixturePath("mlp-dynamo-18.onnx"))).toThrow(/expected a loss of two inputs/);
    expect(() => lossFromOnnx(join(folder, "absent.onnx"))).toThrow(BadInput);
  });
});

describe("a measurement that was broken off", () => {
  test("goes on with what was finished, to the same report; of other things it begins anew", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sedge-kept-"));
    try {
      const options = { ...optionsFor("mlp-dynamo-18.onnx", "mlp"), keep: join(folder, "kept") };
      const stop = new AbortController();
      const broken = measure({
        ...options,
        signal: stop.signal,
        onProgress: ({ label, done }) => label === "spectrum" && done > 82 && stop.abort(new Error("enough")),
      });
      await expect(broken).rejects.toThrow("enough");
      const other = await measure({ ...options, keep: undefined, batchSize: 2 });
      expect(other.resumed).toEqual([]);
      const second = await measure(options);
      expect(second.resumed).toEqual(["λ_max", "kernel"]);
      const timeless = ({ report }: Measurement) => ({ ...report, seconds: {} });
      expect(timeless(second)).toEqual(timeless(mlp));
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("of other things, or damaged, counts as none", () => {
    const folder = mkdtempSync(join(tmpdir(), "sedge-kept-"));
    try {
      const path = join(folder, "kept");
      const about = (batchSize: number, number = 1) => ({ settings: { batchSize }, numbers: [Uint8Array.of(number)] });
      openKeptStages(path, about(1)).keep("part", { value: NaN });
      expect(openKeptStages(path, about(1)).found("part")).toEqual({ value: NaN });
      expect(openKeptStages(path, about(2)).found("part")).toBeUndefined();
      expect(openKeptStages(path, about(1, 2)).found("part")).toBeUndefined();
      writeFileSync(path, readFileSync(path).subarray(0, 20));
      expect(openKeptStages(path, about(1)).found("part")).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("a .npz has the inputs by name, and targets of the first name that it has, or of a file of their own", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sedge-npz-"));
  try {
    const ids = npy("<i8", [3, 2], [1, 2, 3, 4, 5, 6]);
    const labels = npy("<i8", [3], [2, 0, 1]);
    const file = (name: string, content: Buffer) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const request = { split: "train", imageSize: null, mostImages: 3, seed: 0, skipBroken: false } as const;
    const read = async (path: string, targets?: string) =>
      (await readProbeData({ ...request, path, targets })) as Arrays;
    const both = file("both.npz", zip({ "ids.npy": ids, "labels.npy": labels }, true));
    expect([...(await read(both)).targets.values]).toEqual([2, 0, 1]);
    const { inputs, targets } = await read(both, file("other.npy", npy("<i8", [3], [1, 1, 1])));
    expect([...targets.values]).toEqual([1, 1, 1]);
    expect((inputs as ReadonlyMap<string, { readonly shape: readonly number[] }>).get("ids")!.shape).toEqual([3, 2]);
    const alone = file("alone.npz", zip({ "ids.npy": ids }, false));
    await expect(read(alone)).rejects.toThrow(
      /alone\.npz: expected an array "targets", "labels", "y" or .*found "ids"/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("bad input, in one line", () => {
  const file = modelFromOnnx(fixturePath("mlp-dynamo-18.onnx"));
  const given = dataOf("mlp");
  const refused = (data: ProbeData, examples = 2) => {
    try {
      probeBatch(file, data, { examples, seed: 0 });
    } catch (error) {
      expect(error).toBeInstanceOf(BadInput);
      return (error as Error).message;
    }
    return "accepted";
  };
  const floats = (shape: number[], fill = 0) =>
    ({ shape, type: "float64", values: new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(fill) }) as const;

  test("data that do not fit, with both shapes", () => {
    expect(refused({ ...given, inputs: floats([4, 7]), targets: floats([4, 3]) })).toMatch(
      /shape \[5\], the data has \[7\]/,
    );
    expect(refused({ ...given, targets: floats([3, 3]) })).toMatch(/targets of shape \(3, 3\)/);
    expect(refused({ ...given, inputs: floats([4, 5]), targets: floats([4, 2]) })).toMatch(
      /gives \[3\].*shape \(4, 2\)/,
    );
    expect(refused({ ...given, inputs: floats([4, 5]), targets: floats([4], 3) })).toMatch(
      /label 3; the model has 3 outputs, so labels are 0…2/,
    );
    expect(refused({ ...given, inputs: floats([4, 5], NaN), targets: floats([4, 3]) })).toMatch(
      /inputs: expected finite numbers, got NaN/,
    );
    expect(refused(given, 1000)).toMatch(/at most \d+ examples/);
    const named = new Map([["ids", floats([4, 5])]]);
    expect(refused({ ...given, inputs: named, targets: floats([4, 3]) })).toMatch(
      /no array "x", which is an input of the model; found "ids"/,
    );
  });

  test("images of another size", () => {
    const set: ImageSet = {
      ...{ examples: 2, height: 2, width: 2, channels: 3, pixels: new Uint8Array(24), labels: new Int32Array(2) },
      ...{ classes: ["a"], description: "squares" },
    };
    const usual = { mean: [0], deviation: [1] };
    expect(refused({ kind: "images", set, available: 2, usual, skipped: [], paths: null })).toMatch(
      /input "x" wants examples of shape \[5\]; squares has images of 3 × 2 × 2/,
    );
  });

  test("more of the first than there are; and what is drawn is of the first", async () => {
    const options = optionsFor("mlp-dynamo-18.onnx", "mlp");
    await expect(measure({ ...options, first: 7 })).rejects.toThrow(
      /first: expected a whole number from 2 to 6.*got 7/,
    );
    const { indices, available } = probeBatch(file, given, { examples: 3, first: 3, seed: 1 });
    expect([[...indices].sort(), available]).toEqual([[0, 1, 2], 3]);
  });

  test("a batch above N", async () => {
    await expect(measure({ ...optionsFor("mlp-dynamo-18.onnx", "mlp"), batchSize: 1000 })).rejects.toThrow(
      /batchSize: expected at most N/,
    );
  });
});

describe("the report", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-measure-"))));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("is one page that needs nothing else, with the images as PNG, and the numbers as JSON", async () => {
    const set: ImageSet = {
      ...{
        examples: 6,
        height: 8,
        width: 8,
        channels: 2,
        labels: Int32Array.of(0, 1, 2, 0, 1, 2),
        classes: ["<a>", "b", "c"],
      },
      ...{ pixels: Uint8Array.from({ length: 6 * 128 }, (_, i) => (i * 37) & 255), description: "noise" },
    };
    const path = fixturePath("cnn-torchscript-17.onnx");
    const options = { ...optionsFor("cnn-torchscript-17.onnx", "cnn"), examples: 6, curvatureExamples: 6 };
    const usual = { mean: [0.5], deviation: [0.3] };
    const data: ProbeData = { kind: "images", set, available: 6, usual, skipped: [], paths: null };
    const measured = await measure({ ...options, path, loss: "cross-entropy", data });
    const { images } = measured.batch;
    const grey: ImageSet = { ...images!, channels: 1, pixels: images!.pixels.filter((_, i) => i % 2 === 0) };
    const [html] = await writeMeasurement({ ...measured, batch: { ...measured.batch, images: grey } }, folder);
    const page = readFileSync(html!, "utf8");
    expect(page.match(/src="data:image\/png;base64,/g)).toHaveLength(measured.report.examples.length);
    expect(page).not.toMatch(/<script|src="http|href=|<a>|NaN|undefined|\[object/);
    expect(page).toContain("&lt;a&gt;");
    for (const { text } of measured.report.advice) expect(page).toContain(text.slice(0, 20));
    const stored = JSON.parse(readFileSync(join(folder, "measure.json"), "utf8")) as Measurement["report"];
    expect(stored.layers).toHaveLength(measured.report.layers.length);
  }, 60_000);
});
