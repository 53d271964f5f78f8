import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, exportOnnx, tensor } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixturePath, pytorchFixtures } from "../../../autodiff/src/testing/pytorch-fixture.js";
import { parseTrainConfig, type TrainConfigInput } from "../config/train-config.js";
import type { Dataset } from "../data/dataset.js";
import { BadInput } from "../errors.js";
import { memorySink } from "../run/sinks.js";
import { train } from "../training/train.js";
import { importedModel } from "./imported-model.js";
import { mlp } from "./mlp.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-imported-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const random = createRandom("imported");
const network = mlp({ inputs: 12, widths: [5], outputs: 3 });
const start = network.initialise(random.fork("start"));
function file(): string {
  const path = join(folder, "network.onnx");
  const params = Object.fromEntries(network.params.map(({ name, shape }) => [name, tensor(start[name]!, shape)]));
  writeFileSync(path, exportOnnx(network.graph, { params }));
  return path;
}
const split = (examples: number, name: string) => ({
  examples,
  inputs: Float32Array.from(random.fork(name).normals(examples * 12)),
  targets: Float32Array.from(random.fork(`${name} targets`).normals(examples * 3)),
});
const dataset: Dataset = {
  name: "noise",
  description: "standard normals",
  inputShape: [12],
  outputs: 3,
  train: split(16, "train"),
  test: split(4, "test"),
};

test("a file trains as the network that it was made from, to the last bit, and is probed", async () => {
  const base: TrainConfigInput = {
    ...{ data: { examples: 16 }, learningRate: 0.05, batchSize: 4, steps: 50 },
    probes: { count: 3, examples: 8 },
  };
  const config = { ...base, model: { kind: "onnx", path: file() } } satisfies TrainConfigInput;
  const sink = memorySink();
  const imported = await train(config, { dataset, sinks: [sink] });
  // The truth: the same network from its builder, started at the same weights.
  const built = await train(base, { dataset, model: { ...network, initialise: () => start } });
  expect(Object.values(imported.params)).toEqual(Object.values(built.params));
  expect(imported.latest["loss/train"]).toBe(built.latest["loss/train"]);
  expect(imported.latest["noiseKernel/exact"]).toBeGreaterThan(0);
  expect(imported.latest["sharpness"]).toBeGreaterThan(0);
});

// Truth: PyTorch's output for its image [C, H, W], here handed over as data sets keep images. Tolerance of the importer's tests.
test("images are handed over with their channels first, as PyTorch has them", async () => {
  const { inputs, output } = pytorchFixtures().find(({ name }) => name === "cnn")!;
  const { data, shape } = Object.values(inputs)[0]!;
  const [count, channels, height, width] = shape as [number, number, number, number];
  const area = height * width;
  const last = new Float32Array(data.length);
  data.forEach((value, i) => {
    const [image, channel, place] = [Math.floor(i / (channels * area)), Math.floor(i / area) % channels, i % area];
    last[(image * area + place) * channels + channel] = value;
  });
  const model = importedModel({ path: fixturePath("cnn-torchscript-17.onnx") }, [height, width, channels]);
  const session = await compile(model.graph, { threads: 1 });
  try {
    const result = await session.run({ ...model.initialise(random), x: last });
    expect(result["output"]!.shape).toEqual([count, model.outputs]);
    const largest = Math.max(...output.data.map(Math.abs));
    output.data.forEach((value, i) => {
      expect(Math.abs((result["output"]!.data as Float32Array)[i]! - value)).toBeLessThan(1e-5 * largest);
    });
  } finally {
    await session.dispose();
  }
});

describe("refuses in one line", () => {
  test("examples of another size, naming both", () => {
    expect(() => importedModel({ path: file() }, [13])).toThrow(
      /network\.onnx: input "x" wants examples of shape \[12\], the data has \[13\]/,
    );
    expect(() => importedModel({ path: file() }, [13])).toThrow(BadInput);
  });

  test.each<[object, RegExp]>([
    [{ kind: "onnx" }, /model\.path: expected the ONNX file, got nothing/],
    [{ kind: "onnx", path: "a", parameterization: "ntk" }, /parameterization: expected standard for an imported model/],
    [{ kind: "mlp", path: "a.onnx" }, /model\.path: expected only with model\.kind onnx, got it with mlp/],
    [
      { kind: "onnx", path: "a", widths: [3] },
      /model\.widths: expected only with model\.kind mlp or cnn, got it with onnx/,
    ],
  ])("the config %j", (model, message) => {
    expect(() => parseTrainConfig({ model, learningRate: 1, batchSize: 1, steps: 1 })).toThrow(message);
  });
});
