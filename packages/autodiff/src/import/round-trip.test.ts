import { describe, expect, test } from "vitest";
import { exportOnnx } from "../onnx/encode.js";
import { exportOnnxWithData } from "../onnx/external.js";
import { importFixture, measure, pytorchFixtures, type FixtureFile } from "../testing/pytorch-fixture.js";
import { importOnnx } from "./import-onnx.js";

/** Equal graphs have equal bytes, so equal bytes are the test for equal graphs. */
describe("exporting an imported model and importing that gives the same graph", () => {
  const files = pytorchFixtures().flatMap((fixture) => fixture.files.filter(({ params }) => params));
  test.each(files)("$file", (file: FixtureFile) => {
    const model = importFixture(file);
    const bytes = exportOnnx(model.graph, { params: model.params });
    const again = importOnnx(bytes, { file: "exported.onnx" });
    expect(Object.keys(again.params).sort()).toEqual(
      Object.keys(model.params)
        .filter((name) => !model.unused.includes(name))
        .sort(),
    );
    expect(again.inputs).toEqual(model.inputs);
    expect(Buffer.from(exportOnnx(again.graph, { params: again.params })).equals(bytes)).toBe(true);
  });

  test("with the weights in a second file too", () => {
    const file = pytorchFixtures()
      .flatMap(({ files }) => files)
      .find((each) => each.file === "vit-dynamo-18.onnx")!;
    const { graph, params } = importFixture(file);
    const { model, data } = exportOnnxWithData(graph, { params, location: "vit.data", threshold: 64 });
    const whole = exportOnnx(graph, { params });
    const stored = Object.values(params).reduce((sum, each) => sum + each.data.byteLength, 0);
    // Most weights moved out, and what is left is the rest of the file and a few words about each tensor.
    expect(model.byteLength).toBeLessThan(whole.byteLength - 0.8 * stored + 100 * Object.keys(params).length);
    const again = importOnnx(model, { externalData: { "vit.data": Buffer.concat(data) } });
    expect(Buffer.from(exportOnnx(again.graph, { params: again.params })).equals(whole)).toBe(true);
    expect(() => importOnnx(model)).toThrow(/is kept in the file "vit.data"; pass its bytes as \{ externalData/);
  });
});

test("the graph read back computes PyTorch's numbers", async () => {
  const fixture = pytorchFixtures().find(({ name }) => name === "gpt")!;
  const file = fixture.files.find((each) => each.file === "gpt-dynamo-20.onnx")!;
  const model = importFixture(file);
  const again = importOnnx(exportOnnx(model.graph, { params: model.params }));
  const [before, after] = [
    await measure(fixture, file, model, "float32"),
    await measure(fixture, file, again, "float32"),
  ];
  // The same graph: the same bits.
  expect(after).toEqual(before);
});
