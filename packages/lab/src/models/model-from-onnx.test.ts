import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "@sedge/autodiff";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixturePath, pytorchFixtures } from "../../../autodiff/src/testing/pytorch-fixture.js";
import { encodeSafetensors } from "../checkpoint/safetensors.js";
import { BadInput } from "../errors.js";
import { modelFromOnnx } from "./model-from-onnx.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-onnx-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const fixture = (name: string) => pytorchFixtures().find((one) => one.name === name)!;

/** The model's output on the fixture's input. */
async function outputOf(file: string, name: string, weights?: string): Promise<number[]> {
  const { inputs } = fixture(name);
  const [input] = Object.values(inputs);
  const model = modelFromOnnx(fixturePath(file), { weights, readHalf: true }).fit(input!.shape.slice(1));
  const session = await compile(model.graph, { threads: 1 });
  try {
    const { output } = await session.run({ ...model.values, x: Float32Array.from(input!.data) });
    return Array.from(output!.data as Float32Array);
  } finally {
    await session.dispose();
  }
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(BadInput);
    expect((error as Error).message).not.toContain("\n");
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

// Truth: PyTorch's output in float64 on the same weights. Some hundred roundings of 6e-8; the tolerance of the importer's own tests.
test.each([
  ["mlp", "mlp-dynamo-18.onnx"],
  ["mlp", "mlp-double-18.onnx"],
  ["cnn", "cnn-torchscript-17.onnx"],
  ["resnet", "resnet-dynamo-18.onnx"],
  ["vit", "vit-torchscript-17.onnx"],
  ["gpt", "gpt-dynamo-20.onnx"], // token indices, given as floats
])("%s from %s computes what PyTorch computes", async (name, file) => {
  const output = await outputOf(file, name);
  const truth = fixture(name).output.data;
  const largest = Math.max(...truth.map(Math.abs));
  truth.forEach((value, i) => expect(Math.abs(output[i]! - value)).toBeLessThan(1e-5 * largest));
});

describe("weights from a safetensors file", () => {
  const file = "cnn-torchscript-17.onnx";
  const model = modelFromOnnx(fixturePath(file)).fit([2, 8, 8]);
  const stored = (change: (name: string, data: Float32Array) => Float32Array = (_, data) => data) =>
    Object.fromEntries(
      model.params.map(({ name, shape }) => [name, { shape, data: change(name, model.values[name]!) }]),
    );
  const write = (name: string, tensors: ReturnType<typeof stored>) => {
    const path = join(folder, name);
    writeFileSync(path, encodeSafetensors({ tensors, metadata: {} }));
    return path;
  };

  test("the model's own give its own output", async () => {
    expect(await outputOf(file, "cnn", write("same", stored()))).toEqual(await outputOf(file, "cnn"));
  });

  test("are used, running statistics too", async () => {
    const plain = await outputOf(file, "cnn");
    const zeros = write(
      "zeros",
      stored((_, data) => data.map(() => 0)),
    );
    expect((await outputOf(file, "cnn", zeros)).every((value) => value === 0)).toBe(true);
    const moved = { ...stored(), "bn1.running_mean": { shape: [4], data: new Float32Array(4).fill(5) } };
    expect(await outputOf(file, "cnn", write("moved", moved))).not.toEqual(plain);
  });

  test("one that is missing, misshapen or not finite is named", () => {
    const { "conv1.weight": left, ...rest } = stored();
    const read = (path: string) => messageOf(() => modelFromOnnx(fixturePath(file), { weights: path }));
    expect(left).toBeDefined();
    expect(read(write("less", rest))).toMatch(/less: has no tensor "conv1\.weight"/);
    const turned = { ...stored(), "bn1.weight": { shape: [1, 4], data: new Float32Array(4) } };
    expect(read(write("turned", turned))).toMatch(/"bn1\.weight": expected shape \[4\].*got \[1, 4\]/);
    const broken = write(
      "broken",
      stored((name, data) => (name === "bn1.bias" ? data.map((x, i) => (i === 2 ? NaN : x)) : data)),
    );
    expect(read(broken)).toMatch(/broken: parameter "bn1\.bias": expected finite numbers, got NaN at element 2/);
    expect(read(join(folder, "absent"))).toMatch(/absent: cannot be read \(ENOENT\)/);
  });
});

describe("refuses in one line", () => {
  test("what is not ONNX, or not there", () => {
    const path = join(folder, "text.onnx");
    writeFileSync(path, "hello");
    expect(messageOf(() => modelFromOnnx(path))).toMatch(/text\.onnx/);
    expect(messageOf(() => modelFromOnnx(join(folder, "absent.onnx")))).toMatch(/absent\.onnx.*ENOENT/);
    const cut = join(folder, "cut.onnx");
    writeFileSync(cut, readFileSync(fixturePath("mlp-dynamo-18.onnx")).subarray(0, 500));
    expect(messageOf(() => modelFromOnnx(cut))).toMatch(/cut\.onnx/);
  });

  test("training mode, several inputs with one shape, a loss without examples, another shape of data", () => {
    expect(messageOf(() => modelFromOnnx(fixturePath("cnn-training-mode.onnx")))).toMatch(/training-mode/);
    expect(messageOf(() => modelFromOnnx(fixturePath("bert-dynamo-18.onnx")).fit([5]))).toMatch(
      /has the data inputs "input_ids", "attention_mask", "token_type_ids": expected an array for each, got one/,
    );
    expect(messageOf(() => modelFromOnnx(fixturePath("bert-dynamo-18.onnx")).fit({ input_ids: [5] }))).toMatch(
      /input "attention_mask": the data have no array of that name/,
    );
    expect(messageOf(() => modelFromOnnx(fixturePath("gpt-dynamo-loss-20.onnx")))).toMatch(
      /output "loss" has the shape \[\]: expected one entry for each example/,
    );
    expect(messageOf(() => modelFromOnnx(fixturePath("mlp-dynamo-18.onnx")).fit([7]))).toMatch(
      /input "x" wants examples of shape \[5\], the data has \[7\]/,
    );
    expect(messageOf(() => modelFromOnnx(fixturePath("mlp-dynamo-18.onnx"), { output: "loss" }))).toMatch(
      /output: expected "output", got "loss"/,
    );
  });
});
