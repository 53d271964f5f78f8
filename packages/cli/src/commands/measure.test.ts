import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeSafetensors, type StoredTensor } from "@sedge/lab";
import { modelFromOnnx } from "@sedge/lab/measure";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryIo } from "../memory-io.js";
import { run } from "../program.js";

const model = fileURLToPath(new URL("../../../autodiff/src/fixtures/pytorch/mlp-dynamo-18.onnx", import.meta.url));
const bert = fileURLToPath(new URL("../../../autodiff/src/fixtures/pytorch/bert-dynamo-18.onnx", import.meta.url));
const examples = 12;

let folder: string;
let inputs: string;
let targets: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sedge-measure-"));
  inputs = npy("x.npy", [examples, 5], (i) => Math.sin(1 + 0.7 * i));
  targets = npy("y.npy", [examples], (i) => i % 3);
});
afterAll(() => rmSync(folder, { recursive: true }));

function npy(name: string, shape: readonly number[], at: (index: number) => number): string {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`.padEnd(117) + "\n";
  const prefix = [0x93, ...Buffer.from("NUMPY"), 1, 0, header.length & 255, header.length >> 8];
  const values = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => at(i));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([Buffer.from(prefix), Buffer.from(header), Buffer.from(values.buffer)]));
  return path;
}

/** A checkpoint of the model's parameters by their names, or by others of the same form. */
function weights(name: string, at: (index: number) => number, prefix = "layers"): string {
  const { params, values } = modelFromOnnx(model).fit([5]);
  const tensors: Record<string, StoredTensor> = {};
  for (const spec of params) {
    const data = values[spec.name]!.map((_, k) => at(k));
    tensors[spec.name.replace("layers", prefix)] = { shape: spec.shape, data };
  }
  const path = join(folder, `${name}.safetensors`);
  writeFileSync(path, encodeSafetensors({ tensors, metadata: {} }));
  return path;
}

async function sedge(...argv: string[]) {
  const io = memoryIo();
  const small = ["--examples", "8", "--curvature-examples", "12", "--spectrum-iterations", "8"];
  return { code: await run(["measure", ...argv, ...small], io), stdout: io.stdout, stderr: io.stderr };
}

const settings = ["--learning-rate", "0.05", "--batch-size", "2"];

describe("sedge measure", () => {
  test("prints both edges, layers, examples and advice, with progress on the other stream", async () => {
    const { code, stdout, stderr } = await sedge(model, "--data", inputs, "--targets", targets, ...settings);
    expect(code).toBe(0);
    for (const part of ["λ_max", "K exact", "critical η", "critical B", "layers", "advice", "verdict"]) {
      expect(stdout).toContain(part);
    }
    expect(stdout).not.toMatch(/undefined|\[object/);
    expect(stderr).toMatch(/kernel: \d+ % done/);
  }, 60_000);

  test("--json is the report, and --out writes the same numbers and one page", async () => {
    const out = join(folder, "out");
    const { code, stdout } = await sedge(
      model,
      "--data",
      inputs,
      "--targets",
      targets,
      ...settings,
      "--json",
      "--out",
      out,
    );
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as { settings: { batchSize: number; loss: string }; noiseKernel: object };
    expect(report.settings).toMatchObject({ batchSize: 2, loss: "cross-entropy" });
    expect(JSON.parse(readFileSync(join(out, "measure.json"), "utf8"))).toEqual(report);
    expect(readFileSync(join(out, "measure.html"), "utf8")).toMatch(/^<!doctype html>/);
  }, 60_000);

  test.each<[string, () => string[], RegExp]>([
    [
      "data of another width",
      () => [model, "--data", npy("w.npy", [12, 7], () => 1), "--targets", targets],
      /examples of shape \[5\], the data has \[7\]/,
    ],
    [
      "labels out of range",
      () => [model, "--data", inputs, "--targets", npy("l.npy", [12], () => 3)],
      /label 3; the model has 3 outputs/,
    ],
    ["no targets", () => [model, "--data", inputs], /--targets: expected a \.npy file/],
    [
      "a probe larger than the data",
      () => [model, "--data", npy("few.npy", [4, 5], () => 1), "--targets", npy("fewer.npy", [4], () => 1)],
      /examples: expected a whole number from 2 to 4, as many as the data have, got 8/,
    ],
    [
      "data that are not there",
      () => [model, "--data", join(folder, "absent.npy"), "--targets", targets],
      /absent\.npy: there is no such file or folder/,
    ],
    [
      "a loss that is neither known nor a file",
      () => [model, "--data", inputs, "--targets", targets, "--loss", "hinge"],
      /--loss: expected squared, mean-squared, cross-entropy or an ONNX file, got "hinge"/,
    ],
    [
      "weights that are not finite",
      () => [model, "--data", inputs, "--targets", targets, "--weights", weights("nan", (k) => (k === 3 ? NaN : 1))],
      /parameter "layers\.0\.weight": expected finite numbers, got NaN at element 3/,
    ],
    [
      "weights of another model",
      () => [model, "--data", inputs, "--targets", targets, "--weights", weights("other", () => 1, "features")],
      /other\.safetensors: has no tensor "layers\.0\.weight", which is a parameter of the model/,
    ],
    [
      "several inputs without their names",
      () => [bert, "--data", inputs, "--targets", targets],
      /has the data inputs "input_ids", "attention_mask", "token_type_ids": expected a \.npz file/,
    ],
    [
      "a file that is no model",
      () => [inputs, "--data", inputs, "--targets", targets],
      /x\.npy: not a readable ONNX model/,
    ],
    [
      "a setting of another optimiser",
      () => [model, "--data", inputs, "--targets", targets, "--momentum", "0.9"],
      /--momentum: expected only with momentum, nesterov, rmsprop/,
    ],
    [
      "broken weights",
      () => [model, "--data", inputs, "--targets", targets, "--weights", inputs],
      /not a safetensors file/,
    ],
  ])("refuses %s in one line, and writes nothing", async (_, argv, message) => {
    const out = join(folder, "refused");
    const { code, stdout, stderr } = await sedge(...argv(), ...settings, "--out", out);
    expect([code, stdout]).toEqual([2, ""]);
    const lines = stderr
      .trim()
      .split("\n")
      .filter((line) => !line.endsWith("% done"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(message);
    expect(existsSync(join(out, "measure.html"))).toBe(false);
  });
});
