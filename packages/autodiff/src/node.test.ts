import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OnnxFileError } from "./ir/errors.js";
import { exportOnnxFile, importOnnxFile } from "./node.js";
import { exportOnnx } from "./onnx/encode.js";
import { encodeModel, type TensorProto } from "./onnx/proto.js";
import { compile } from "./runtime/session.js";
import { info, node } from "./testing/onnx-model.js";
import { fixturePath, pytorchFixtures } from "./testing/pytorch-fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sedge-onnx-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("importOnnxFile", () => {
  test.each(["mlp-each-external-13/mlp-each-external-13.onnx", "vit-dynamo-external/vit-dynamo-external.onnx"])(
    "finds the weights beside %s, and the graph gives PyTorch's output",
    async (file) => {
      const fixture = pytorchFixtures().find(({ files }) => files.some((each) => each.file === file))!;
      const { graph, params, inputs } = importOnnxFile(fixturePath(file));
      const session = await compile(graph);
      const { output } = await session.run({ ...params, [inputs[0]!]: Object.values(fixture.inputs)[0]!.data });
      await session.dispose();
      // float32 against float64: some hundred roundings of 6e-8 on outputs of order 1.
      fixture.output.data.forEach((truth, i) => expect(Math.abs(Number(output!.data[i]) - truth)).toBeLessThan(1e-5));
    },
  );

  test("a file that is not there, or is a folder, is the typed error with the path", () => {
    for (const path of [join(folder, "absent.onnx"), folder]) {
      expect(() => importOnnxFile(path)).toThrow(OnnxFileError);
      expect(() => importOnnxFile(path)).toThrow(path);
    }
  });

  describe("reads external data from the model's folder only", () => {
    const withLocation = (location: string, offset = 0): string => {
      const path = join(folder, "models", "outside.onnx");
      const entries = { location, offset: String(offset), length: "8" };
      const weight: TensorProto = {
        name: "w",
        dims: [2],
        data_type: 1,
        data_location: 1,
        external_data: Object.entries(entries).map(([key, value]) => ({ key, value })),
      };
      const graph = { node: [node("Add", ["x", "w"], ["y"])], input: [info("x", ["n", 2])], output: [info("y", null)] };
      writeFileSync(
        path,
        encodeModel({ ir_version: 8, opset_import: [{ version: 17 }], graph: { ...graph, initializer: [weight] } }),
      );
      return path;
    };
    const numbers = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
    beforeAll(() => {
      mkdirSync(join(folder, "models", "weights"), { recursive: true });
      writeFileSync(join(folder, "secret.bin"), numbers);
      writeFileSync(join(folder, "models", "weights", "w.bin"), numbers);
      symlinkSync(join(folder, "secret.bin"), join(folder, "models", "link.bin"));
    });

    test("below it is inside", () => {
      const { params } = importOnnxFile(withLocation("weights/w.bin", 4));
      expect([...params.w!.data]).toEqual([2, 3]);
    });

    test.each([
      ["../secret.bin", /outside the model's folder/],
      ["weights/../../secret.bin", /outside the model's folder/],
      ["/etc/hostname", /not a path relative to the model/],
      ["C:\\secret.bin", /not a path relative to the model/],
      ["..\\secret.bin", /not a path relative to the model/],
      ["link.bin", /a link that leads outside/],
      [".", /outside the model's folder/],
      ["weights", /not a file|EISDIR/],
      ["absent.bin", /no such file/],
    ])("%s is refused", (location, reason) => {
      const path = withLocation(location);
      expect(() => importOnnxFile(path)).toThrow(OnnxFileError);
      expect(() => importOnnxFile(path)).toThrow(reason);
    });

    test("a file that is too short is refused with both lengths", () => {
      expect(() => importOnnxFile(withLocation("weights/w.bin", 8))).toThrow(/has 12 bytes; expected 8 from byte 8/);
    });
  });
});

describe("exportOnnxFile", () => {
  test("writes one file, or two, and both read back as the same graph", () => {
    const source = join(folder, "gpt.onnx");
    copyFileSync(fixturePath("gpt-dynamo-20.onnx"), source);
    const { graph, params } = importOnnxFile(source);
    const [one, two] = [join(folder, "one.onnx"), join(folder, "two.onnx")];
    exportOnnxFile(one, graph, { params });
    exportOnnxFile(two, graph, { params, externalThreshold: 100 });
    expect(readFileSync(`${two}.data`).byteLength).toBeGreaterThan(2000);
    for (const path of [one, two]) {
      const again = importOnnxFile(path);
      expect(Buffer.from(exportOnnx(again.graph, { params: again.params })).equals(readFileSync(one))).toBe(true);
    }
  });

  test("the engine itself loads the two files", async () => {
    const { InferenceSession } = await import("onnxruntime-node");
    const session = await InferenceSession.create(join(folder, "two.onnx"));
    expect(session.inputNames).toEqual(["tokens"]);
    await session.release();
  });
});
