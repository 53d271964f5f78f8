import { describe, expect, test } from "vitest";
import { OnnxFileError } from "../ir/errors.js";
import { exportOnnx } from "../onnx/encode.js";
import { compile } from "../runtime/session.js";
import { floats, info, int64s, model, node, type ModelParts } from "../testing/onnx-model.js";
import { importFixture, measure, pytorchFixtures, readFixtureFile } from "../testing/pytorch-fixture.js";
import { dependsOn, vjp } from "../transforms/graphs.js";
import { importOnnx, type ImportOptions } from "./import-onnx.js";

function refusal(bytes: Uint8Array, options: ImportOptions = {}): OnnxFileError {
  try {
    importOnnx(bytes, { file: "net.onnx", ...options });
  } catch (error) {
    expect(error).toBeInstanceOf(OnnxFileError);
    expect((error as OnnxFileError).file).toBe("net.onnx");
    return error as OnnxFileError;
  }
  throw new Error("expected a refusal");
}
const refuses = (parts: ModelParts, options?: ImportOptions) => refusal(model(parts), options);

describe("what cannot be read is refused by name", () => {
  test("no file, another kind of file, a file cut short", () => {
    expect(refusal(new Uint8Array()).message).toBe("importOnnx: net.onnx: the file is empty.");
    expect(refusal("net.onnx" as unknown as Uint8Array).message).toBe(
      "importOnnx: net.onnx: expected the bytes of a file, a Uint8Array, got string; importOnnxFile of @sedge/autodiff/node takes a path.",
    );
    expect(refusal(new TextEncoder().encode("<!doctype html>")).message).toMatch(/not a readable ONNX model/);
    const whole = readFixtureFile("mlp-torchscript-17.onnx");
    expect(refusal(whole.subarray(0, whole.length - 20)).message).toMatch(/not a readable ONNX model.*truncated/);
  });

  test("operators without a rule, all at once, each with its nodes and the reason; dead ones do not count", () => {
    const parts: ModelParts = {
      nodes: [
        node("NonZero", ["x"], ["a"]),
        node("Frobnicate", ["a"], ["b"], {}, { name: "first" }),
        node("Frobnicate", ["b"], ["y"], {}, { name: "second" }),
        node("Dead", ["x"], ["nobody"]),
        node("Gemm", ["x", "x"], ["z"], {}, { domain: "my.domain" }),
      ],
      outputs: ["y", "z"],
    };
    expect(refuses(parts).message).toBe(
      "importOnnx: net.onnx: 3 operators are not supported: " +
        'NonZero (its shape depends on its data) at "nonzero_a"; Frobnicate at "first", "second"; my.domain.Gemm at "gemm_z".',
    );
  });

  test("an input without a shape, with the remedy; and the remedy works", () => {
    const parts: ModelParts = { nodes: [node("Relu", ["x"], ["y"])], inputs: [info("x", null)] };
    expect(refuses(parts).message).toMatch(/input "x" has no shape; pass \{ shapes: \{ "x": \["batch", ...\] \} \}/);
    expect(importOnnx(model(parts), { shapes: { x: ["n", 3] } }).graph.outputs.y!.shape).toEqual(["n", 3]);
  });

  test("operator sets outside 11 to 23", () => {
    for (const opset of [9, 24]) {
      expect(refuses({ nodes: [node("Relu", ["x"], ["y"])], opset }).message).toMatch(
        /operator set \d+; expected 11 to 23/,
      );
    }
  });

  test("weights in half precision, unless they are to be read as float32", () => {
    const bytes = readFixtureFile("mlp-half-18.onnx");
    expect(refusal(bytes).message).toMatch(/"layers.0.weight" is float16.*pass \{ float16: "float32" \}/);
    expect(importOnnx(bytes, { float16: "float32" }).params["layers.0.weight"]!.type).toBe("float32");
  });

  test("parameters asked for that are not floating-point, or not there", () => {
    const parts: ModelParts = {
      nodes: [node("Gather", ["w", "at"], ["y"])],
      inputs: [],
      weights: { w: floats([1, 2]), at: int64s([0]) },
    };
    expect(refuses(parts, { params: ["at"] }).message).toMatch(/"at", which is int64; only floating-point/);
    expect(refuses(parts, { params: ["v"] }).message).toMatch(/"v", which is no initializer; there are w, at/);
  });

  test("training-mode BatchNormalization, with the reason and both remedies", () => {
    const error = refusal(readFixtureFile("cnn-training-mode.onnx"));
    expect([error.node, error.op]).toEqual(["/bn1/BatchNormalization", "BatchNormalization"]);
    expect(error.message).toMatch(
      /depends on the others.*no mean over examples.*model\.eval\(\).*trainingMode: "evaluate"/,
    );
  });

  test("training-mode Dropout", () => {
    const parts: ModelParts = {
      nodes: [node("Dropout", ["x", "p", "t"], ["y"])],
      weights: { p: floats([0.5], []), t: { type: "bool", shape: [], data: Uint8Array.of(1) } },
    };
    expect(refuses(parts).message).toMatch(/random mask/);
    const { graph } = importOnnx(model(parts), { trainingMode: "evaluate" });
    expect(graph.outputs.y).toBe(graph.inputs.x);
  });

  test("names that do not fit together", () => {
    expect(refuses({ nodes: [node("Relu", ["h"], ["y"])] }).message).toBe(
      'importOnnx: net.onnx: node "relu_y" (Relu): nothing makes its input "h".',
    );
    expect(
      refuses({ nodes: [node("Relu", ["h"], ["y"]), node("Exp", ["x"], ["h"])], outputs: ["y", "h"] }).message,
    ).toMatch(/"h" is made by a later node/);
    expect(refuses({ nodes: [node("Relu", ["x"], ["y"]), node("Exp", ["x"], ["y"])] }).message).toMatch(
      /"y" is the name of another value too/,
    );
    expect(refuses({ nodes: [node("Relu", ["x"], ["h"])] }).message).toMatch(/nothing makes the output "y"/);
    const twice = { initializer: [1, 2].map(() => ({ name: "w", data_type: 1, dims: [1], float_data: [1] })) };
    expect(refuses({ nodes: [node("Add", ["x", "w"], ["y"])], graph: twice }).message).toMatch(/two initializers "w"/);
  });

  test("shapes that do not fit, naming node and op, and what helps with symbolic ones", () => {
    const inputs = [info("x", ["a", 2]), info("z", ["b", 2])];
    const error = refuses({ nodes: [node("Add", ["x", "z"], ["y"])], inputs });
    expect([error.node, error.op]).toEqual(["add_y", "Add"]);
    expect(error.message).toMatch(/expected shapes that broadcast.*equal names.*pass \{ shapes/);
    const parts = model({ nodes: [node("Add", ["x", "z"], ["y"])], inputs });
    expect(importOnnx(parts, { shapes: { z: ["a", 2] } }).graph.outputs.y!.shape).toEqual(["a", 2]);
  });

  test("tensors whose length is not that of their shape", () => {
    const weight = (extra: object) => ({ initializer: [{ name: "w", data_type: 1, dims: [3], ...extra }] });
    const nodes = [node("Add", ["x", "w"], ["y"])];
    expect(refuses({ nodes, graph: weight({ raw_data: new Uint8Array(8) }) }).message).toMatch(
      /"w": expected 12 bytes.*got 8/,
    );
    expect(refuses({ nodes, graph: weight({ float_data: [1] }) }).message).toMatch(/"w": expected 3 elements.*got 1/);
    const outside = { data_location: 1, external_data: [{ key: "location", value: "w.bin" }] };
    expect(refuses({ nodes, graph: weight(outside) }).message).toMatch(/kept in the file "w.bin"/);
    expect(refuses({ nodes, graph: weight(outside) }, { externalData: {} }).message).toMatch(
      /externalData does not have/,
    );
    expect(
      refuses({ nodes, graph: weight(outside) }, { externalData: { "w.bin": new Uint8Array(4) } }).message,
    ).toMatch(/bytes 0 to 12 of "w.bin", which has 4/);
  });
});

describe("parameters", () => {
  test("are told from scalars, statistics, masks and buffers, with the reason for each constant", () => {
    const { params, constants } = importFixture(pytorchFixtures().find(({ name }) => name === "cnn")!.files[0]!);
    expect(Object.keys(params).filter((name) => name.includes("running"))).toEqual([]);
    expect(constants["bn1.running_mean"]).toBe("only statistics or bounds of BatchNormalization");
    const llama = pytorchFixtures().find(({ name }) => name === "llama")!;
    const dynamo = importFixture(llama.files.find(({ exporter }) => exporter === "dynamo")!);
    expect(dynamo.constants.val_12 ?? dynamo.constants.val_8).toBe("a scalar");
    const mask = floats([0, -3.4e38, 0, 0], [2, 2]);
    const masked = importOnnx(
      model({ nodes: [node("Add", ["x", "m"], ["y"])], inputs: [info("x", [2, 2])], weights: { m: mask } }),
    );
    expect(masked.constants).toEqual({ m: "a mask, by its values" });
  });

  test("can be chosen, by name or by a function", () => {
    const bytes = readFixtureFile("mlp-torchscript-17.onnx");
    expect(Object.keys(importOnnx(bytes, { params: ["layers.4.bias"] }).params)).toEqual(["layers.4.bias"]);
    const { params, constants } = importOnnx(bytes, { params: (name) => name.endsWith("weight") });
    expect(Object.keys(params)).toEqual(["layers.0.weight", "layers.2.weight", "layers.4.weight"]);
    expect(constants["layers.0.bias"]).toBe("not asked for");
  });

  test("on which no output depends are named, and their gradient is zero", async () => {
    const parts: ModelParts = {
      nodes: [
        node("Mul", ["x", "w"], ["h"]),
        node("ReduceSum", ["h"], ["y"], { keepdims: 0 }),
        node("Shape", ["idle"], ["s"]),
      ],
      outputs: ["y", "s"],
      weights: { w: floats([1, 2]), idle: floats([3, 4]), absent: floats([5]) },
    };
    const { graph, params, unused } = importOnnx(model(parts));
    expect(unused).toEqual(["idle", "absent"]);
    expect(dependsOn(graph, "y", "idle")).toBe(false);
    const session = await compile(vjp(graph, { of: "y", wrt: ["w", "idle"] }));
    const result = await session.run({ ...params, x: [1, 2, 3, 4] });
    await session.dispose();
    expect([...result["gradient/w"]!.data]).toEqual([4, 6]);
    expect([...result["gradient/idle"]!.data]).toEqual([0, 0]);
  });

  test("tied weights that the exporter stores twice are joined; taken apart, their derivatives add up to the same", async () => {
    const fixture = pytorchFixtures().find(({ name }) => name === "gpt")!;
    const file = fixture.files.find((each) => each.file === "gpt-torchscript-14.onnx")!;
    const joined = importFixture(file);
    expect(joined.ties).toEqual([{ name: "onnx::MatMul_175", copyOf: "tokens.weight" }]);
    const apart = importFixture(file, { ties: false });
    expect(Object.keys(apart.params)).toContain("onnx::MatMul_175");
    const [one, two] = [
      await measure(fixture, file, joined, "float64"),
      await measure(fixture, file, apart, "float64"),
    ];
    const [a, b] = [one.hessianProduct.get("tokens.weight")!, two.hessianProduct.get("tokens.weight")!];
    const largest = Math.max(...a.map(Math.abs));
    // One graph in two forms, in float64.
    a.forEach((value, i) => expect(Math.abs(value - b[i]!)).toBeLessThan(1e-12 * largest));
  });
});

test("parameters merged by the exporter because they start out equal are separate again, under PyTorch's names", () => {
  const fixture = pytorchFixtures().find(({ name }) => name === "fresh")!;
  for (const file of fixture.files) {
    const { params, separated, constants } = importFixture(file);
    expect(Object.keys(params).sort()).toEqual(fixture.params.map(({ name }) => name).sort());
    expect(separated["norms.2.bias"]).toBe("norms.0.bias");
    expect(separated["batch.weight"]).toBe("norms.0.weight");
    expect(Object.keys(constants)).toContain("batch.running_var");
  }
});

describe("graphs inside graphs", () => {
  const branch = (name: string, op: string) => ({
    graph: { name, node: [node(op, ["h"], [name])], output: [info(name, null)] },
  });
  const conditional = (condition: ModelParts["nodes"]): ModelParts => ({
    nodes: [
      node("Mul", ["x", "x"], ["h"]),
      ...condition,
      node("If", ["c"], ["y"], { then_branch: branch("t", "Exp"), else_branch: branch("e", "Frobnicate") }),
    ],
  });
  const truth = (value: number) =>
    node("Constant", [], ["c"], { value: { type: "bool", shape: [], data: Uint8Array.of(value) } });

  test("the branch taken is inlined; only it has to be known", () => {
    const { graph } = importOnnx(model(conditional([truth(1)])));
    expect(graph.outputs.y!.origin.kind === "node" && graph.outputs.y!.origin.node.op).toBe("Exp");
    expect(refuses(conditional([truth(0)])).message).toMatch(/not supported: Frobnicate at "frobnicate_e"/);
  });

  test("a condition on a symbolic size is refused, and known once the size is fixed", () => {
    const parts = conditional([
      node("Shape", ["x"], ["s"]),
      node("Gather", ["s", "first"], ["n"]),
      node("Equal", ["n", "one"], ["c"]),
    ]);
    const bytes = model({ ...parts, weights: { first: int64s([0], []), one: int64s([1], []) } });
    expect(refusal(bytes).message).toMatch(/"if_y" \(If\): the branch taken is not known.*pass \{ shapes/);
    expect(importOnnx(bytes, { shapes: { x: [1, 2] } }).graph.outputs.y!.shape).toEqual([1, 2]);
  });

  const scaled = {
    name: "Scaled",
    domain: "local",
    input: ["a", "unused"],
    output: ["b"],
    attribute: ["by"],
    attribute_proto: [{ name: "axis", type: 2, i: 1 }],
    opset_import: [{ domain: "", version: 17 }],
    node: [
      { op_type: "Constant", output: ["k"], attribute: [{ name: "value_float", type: 1, ref_attr_name: "by" }] },
      { op_type: "Mul", input: ["a", "k"], output: ["m"] },
      {
        op_type: "Softmax",
        input: ["m"],
        output: ["b"],
        attribute: [{ name: "axis", type: 2, ref_attr_name: "axis" }],
      },
    ],
  };

  test("local functions are inlined, with attributes given and by default", () => {
    const called: ModelParts = {
      nodes: [node("Scaled", ["x"], ["y"], { by: { float: 2 } }, { domain: "local" })],
      inputs: [info("x", ["batch", 2, 3])],
      functions: [scaled],
    };
    const direct: ModelParts = {
      nodes: [node("Mul", ["x", "two"], ["h"]), node("Softmax", ["h"], ["y"], { axis: 1 })],
      inputs: [info("x", ["batch", 2, 3])],
      weights: { two: floats([2], []) },
    };
    const ops = (parts: ModelParts) => {
      const { y } = importOnnx(model(parts)).graph.outputs;
      const softmax = y!.origin.kind === "node" ? y!.origin.node : null;
      return [softmax!.op, softmax!.attributes.axis, softmax!.inputs[0]!.shape];
    };
    expect(ops(called)).toEqual(ops(direct));
  });

  test("a function that calls itself is refused", () => {
    const endless = {
      ...scaled,
      name: "Endless",
      attribute: [],
      node: [{ op_type: "Endless", domain: "local", input: ["a"], output: ["b"] }],
    };
    const parts: ModelParts = { nodes: [node("Endless", ["x"], ["y"], {}, { domain: "local" })], functions: [endless] };
    expect(refuses(parts).message).toMatch(/functions call each other without end/);
  });
});

test("training-mode files read as evaluation compute what PyTorch does in evaluation", async () => {
  const fixture = pytorchFixtures().find(({ name }) => name === "cnn")!;
  const { graph, params } = importOnnx(readFixtureFile("cnn-training-mode.onnx"), { trainingMode: "evaluate" });
  const session = await compile(graph);
  const { output } = await session.run({ ...params, x: fixture.inputs.x!.data });
  await session.dispose();
  // Some hundred float32 roundings of 6e-8 on outputs of order 1.
  fixture.output.data.forEach((truth, i) => expect(Math.abs(Number(output!.data[i]) - truth)).toBeLessThan(5e-6));
});

test("unnamed and oddly named sizes become symbols of their own", () => {
  const inputs = [info("x", [null, "batch size", "batch_size", 2])];
  const { graph } = importOnnx(model({ nodes: [node("Relu", ["x"], ["y"])], inputs }));
  expect(graph.inputs.x!.shape).toEqual(["x_0", "batch_size", "batch_size_2", 2]);
});

test("chains of Shape, Gather, Concat and Reshape fold, with two symbolic sizes", () => {
  const bert = pytorchFixtures().find(({ name }) => name === "bert")!;
  for (const file of bert.files) {
    const { graph } = importFixture(file);
    expect(graph.outputs.output!.shape).toEqual(["batch", 3]);
    const text = new TextDecoder("latin1").decode(exportOnnx(graph));
    // Of 20 or more nodes for shapes, what is left reads the two symbols off the inputs.
    expect(text.split("Shape\x22").length).toBeLessThan(20);
  }
});
