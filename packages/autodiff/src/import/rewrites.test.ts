/**
 * Operators that importing composes of others, and forms of older opsets. The independent truth is ONNX Runtime's own kernel:
 * the file as it stands against the graph that importOnnx makes of it.
 */
import { InferenceSession, Tensor as EngineTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import type { Tensor, TypedArray } from "../ir/tensor.js";
import { exportOnnx } from "../onnx/encode.js";
import type { NodeProto, ValueInfoProto } from "../onnx/proto.js";
import { compile } from "../runtime/session.js";
import { floats, info, int64s, model, node, type ModelParts } from "../testing/onnx-model.js";
import { testRandom } from "../testing/random.js";
import { importOnnx } from "./import-onnx.js";

const random = testRandom(7);
const noise = (shape: readonly number[], low = -1, high = 1): Tensor =>
  floats(
    [
      ...random.array(
        shape.reduce((a, b) => a * b, 1),
        low,
        high,
      ),
    ],
    shape,
  );

/** Sums of a few dozen products of numbers near 1: some 1e-6. */
const TOLERANCE = 5e-6;

async function agrees(parts: ModelParts, feeds: Readonly<Record<string, Tensor>>): Promise<void> {
  const bytes = model(parts);
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const given = Object.entries(feeds).map(
    ([name, { type, data, shape }]) => [name, new EngineTensor(type, data as Float32Array, shape)] as const,
  );
  const truth = await session.run(Object.fromEntries(given));
  await session.release();
  const imported = importOnnx(bytes);
  const compiled = await compile(imported.graph);
  try {
    const results = await compiled.run({ ...imported.params, ...feeds });
    for (const [name, { data, dims, type }] of Object.entries(truth)) {
      expect(results[name]!.type).toBe(type);
      expect(results[name]!.shape).toEqual([...dims]);
      const got = results[name]!.data;
      (data as TypedArray).forEach((value: number | bigint, i: number) =>
        expect(Math.abs(Number(value) - Number(got[i]))).toBeLessThan(TOLERANCE),
      );
    }
  } finally {
    await compiled.dispose();
  }
}

/** One node on an input x, with further inputs as constants. */
function single(
  op: string,
  x: Tensor,
  {
    constants = {},
    attributes = {},
    opset = 17,
    domain,
    batch = "symbolic",
  }: {
    constants?: Readonly<Record<string, Tensor | null>>;
    attributes?: Parameters<typeof node>[3];
    opset?: number;
    domain?: string;
    batch?: "symbolic" | "fixed";
  } = {},
): Promise<void> {
  const weights = Object.fromEntries(
    Object.entries(constants).filter((entry): entry is [string, Tensor] => entry[1] !== null),
  );
  const inputs = ["x", ...Object.entries(constants).map(([name, value]) => (value === null ? "" : name))];
  const types: Readonly<Record<string, number>> = { float32: 1, int64: 7, bool: 9 };
  return agrees(
    {
      nodes: [node(op, inputs, ["y"], attributes, domain ? { domain } : {})],
      inputs: [info("x", batch === "fixed" ? x.shape : ["batch", ...x.shape.slice(1)], types[x.type])],
      outputs: [info("y", null, x.type === "bool" ? types.bool : 1)],
      weights,
      opset,
    },
    { x },
  );
}

describe("arrangements", () => {
  const square = noise([4, 5]);
  test.each([
    [0, 1],
    [0, -2],
    [1, 0],
    [1, 2],
  ])("Trilu, upper %d, offset %d", (upper, k) =>
    single("Trilu", square, { constants: { k: int64s([k], []) }, attributes: { upper } }),
  );
  test("Trilu of a stack of bool matrices", () =>
    single("Trilu", { type: "bool", shape: [2, 3, 3], data: Uint8Array.from({ length: 18 }, () => 1) }));
  test("EyeLike", () => single("EyeLike", square, { attributes: { k: 1 } }));
  test.each([-1, 0, 1])("OneHot on axis %d, with a negative index", (axis) =>
    single("OneHot", int64s([0, 2, -1, 1], [2, 2]), {
      constants: { depth: int64s([3], []), values: floats([0.25, 2]) },
      attributes: { axis },
    }),
  );
  test.each([
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ])("CumSum, exclusive %d, reverse %d", (exclusive, reverse) =>
    single("CumSum", noise([2, 5, 3]), { constants: { axis: int64s([1], []) }, attributes: { exclusive, reverse } }),
  );
  test.each(["DCR", "CRD"])("DepthToSpace, %s", (mode) =>
    single("DepthToSpace", noise([2, 8, 2, 3]), { attributes: { blocksize: 2, mode } }),
  );
  test("SpaceToDepth", () => single("SpaceToDepth", noise([2, 2, 4, 6]), { attributes: { blocksize: 2 } }));
  test.each([
    ["asymmetric", "floor"],
    ["half_pixel", "round_prefer_floor"],
  ])("Resize to the nearest by whole factors (%s)", (coordinates, nearest) =>
    single("Resize", noise([1, 2, 3, 2]), {
      constants: { roi: null, scales: floats([1, 1, 2, 3]) },
      attributes: { mode: "nearest", coordinate_transformation_mode: coordinates, nearest_mode: nearest },
    }),
  );
  test("Resize to given sizes", () =>
    single("Resize", noise([1, 2, 3, 2]), {
      constants: { roi: null, scales: null, sizes: int64s([1, 2, 6, 4]) },
      attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
      batch: "fixed",
    }));
});

describe("elementwise and normalisations", () => {
  const x = noise([2, 4, 3]);
  test("PRelu", () => single("PRelu", x, { constants: { slope: noise([4, 1]) } }));
  test("Shrink", () => single("Shrink", x, { attributes: { lambd: { float: 0.3 }, bias: { float: 0.1 } } }));
  test.each([1, 2])("LpNormalization, p = %d", (p) => single("LpNormalization", x, { attributes: { axis: 1, p } }));
  test("MeanVarianceNormalization", () => single("MeanVarianceNormalization", noise([2, 3, 4, 4])));
  test("GroupNormalization, per group and per channel", async () => {
    const groups = { scale: noise([2]), bias: noise([2]) };
    const channels = { scale: noise([4]), bias: noise([4]) };
    await single("GroupNormalization", x, { constants: groups, attributes: { num_groups: 2 }, opset: 18 });
    await single("GroupNormalization", x, { constants: channels, attributes: { num_groups: 2 }, opset: 21 });
  });
  test("RMSNormalization", () =>
    single("RMSNormalization", x, {
      constants: { scale: noise([3]) },
      attributes: { epsilon: { float: 1e-3 } },
      opset: 23,
    }));
  test.each(["SAME_UPPER", "SAME_LOWER"])("ConvTranspose with auto_pad %s", (autoPad) =>
    single("ConvTranspose", noise([1, 2, 3, 4]), {
      constants: { w: noise([2, 3, 3, 2]) },
      attributes: { auto_pad: autoPad, strides: [2, 2] },
    }),
  );
  test("ConvTranspose with a given output shape", () =>
    single("ConvTranspose", noise([1, 2, 3]), {
      constants: { w: noise([2, 3, 3]) },
      attributes: { output_shape: [6], strides: [2] },
    }));
});

describe("losses", () => {
  const logits = noise([3, 4, 2]);
  const labels = int64s([0, 3, 1, 2, 2, 0], [3, 2]);
  const weights = floats([0.5, 1, 2, 0.25]);
  const parts = (op: string, attributes: Parameters<typeof node>[3], weighted: boolean): ModelParts => ({
    nodes: [node(op, ["x", "labels", ...(weighted ? ["w"] : [])], ["y"], attributes)],
    inputs: [info("x", ["batch", 4, 2]), info("labels", ["batch", 2], 7)],
    weights: weighted ? { w: weights } : {},
  });
  const variants = ["none", "sum", "mean"].flatMap((reduction) =>
    [false, true].flatMap((weighted) => [false, true].map((ignore) => ({ reduction, weighted, ignore }))),
  );
  test.each(variants)(
    "SoftmaxCrossEntropyLoss and NegativeLogLikelihoodLoss: $reduction, weighted $weighted, ignoring $ignore",
    async ({ reduction, weighted, ignore }) => {
      const attributes = { reduction, ...(ignore && { ignore_index: 2 }) };
      await agrees(parts("SoftmaxCrossEntropyLoss", attributes, weighted), { x: logits, labels });
      await agrees(parts("NegativeLogLikelihoodLoss", attributes, weighted), { x: logits, labels });
    },
  );
});

describe("attention of opset 23", () => {
  const [q, k, v] = [noise([2, 4, 3, 5]), noise([2, 2, 3, 5]), noise([2, 2, 3, 5])];
  const four = (
    extra: string[] = [],
    attributes: Parameters<typeof node>[3] = {},
    more: ValueInfoProto[] = [],
  ): ModelParts => ({
    nodes: [node("Attention", ["q", "k", "v", ...extra], ["y"], attributes)],
    inputs: [info("q", ["n", 4, 3, 5]), info("k", ["n", 2, 3, 5]), info("v", ["n", 2, 3, 5]), ...more],
    opset: 23,
  });

  test("with fewer key-value heads", () => agrees(four(), { q, k, v }));
  test("causal, with another scale", () => agrees(four([], { is_causal: 1, scale: { float: 0.3 } }), { q, k, v }));
  test("with a soft cap", () => agrees(four([], { softcap: { float: 0.5 } }), { q, k, v }));
  test("with an additive and with a boolean mask", async () => {
    const additive = noise([3, 3]);
    const allowed: Tensor = { type: "bool", shape: [3, 3], data: Uint8Array.from([1, 0, 1, 1, 1, 0, 0, 1, 1]) };
    await agrees(four(["mask"], {}, [info("mask", [3, 3])]), { q, k, v, mask: additive });
    await agrees(four(["mask"], {}, [info("mask", [3, 3], 9)]), { q, k, v, mask: allowed });
  });
  test("with a past", () =>
    agrees(
      {
        nodes: [node("Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "present_k", "present_v"])],
        inputs: [
          ...[info("q", ["n", 4, 3, 5]), info("k", ["n", 2, 3, 5]), info("v", ["n", 2, 3, 5])],
          ...[info("pk", ["n", 2, 2, 5]), info("pv", ["n", 2, 2, 5])],
        ],
        outputs: ["y", "present_k", "present_v"],
        opset: 23,
      },
      { q, k, v, pk: noise([2, 2, 2, 5]), pv: noise([2, 2, 2, 5]) },
    ));
  test("on packed heads", () =>
    agrees(
      {
        nodes: [node("Attention", ["q", "k", "v"], ["y"], { q_num_heads: 4, kv_num_heads: 2 })],
        inputs: [info("q", ["n", "t", 20]), info("k", ["n", "t", 10]), info("v", ["n", "t", 10])],
        opset: 23,
      },
      { q: noise([2, 3, 20]), k: noise([2, 3, 10]), v: noise([2, 3, 10]) },
    ));

  test.each([
    { interleaved: 0, rotary_embedding_dim: 0, table: 2 },
    { interleaved: 1, rotary_embedding_dim: 0, table: 2 },
    { interleaved: 0, rotary_embedding_dim: 2, table: 1 },
  ])("RotaryEmbedding $interleaved $rotary_embedding_dim", ({ table, ...attributes }) =>
    agrees(
      {
        nodes: [node("RotaryEmbedding", ["x", "cos", "sin", "at"], ["y"], attributes)],
        inputs: [info("x", ["n", 2, 3, 4]), info("at", ["n", 3], 7)],
        weights: { cos: noise([5, table]), sin: noise([5, table]) },
        opset: 23,
      },
      { x: noise([2, 2, 3, 4]), at: int64s([0, 1, 2, 4, 3, 0], [2, 3]) },
    ),
  );
});

describe("com.microsoft", () => {
  const contrib = (nodes: NodeProto[], weights: Readonly<Record<string, Tensor>>): ModelParts => ({
    nodes: nodes.map((each) => ({ ...each, domain: "com.microsoft" })),
    inputs: [info("x", ["batch", 3, 4])],
    weights,
  });
  const x = noise([2, 3, 4]);
  test.each(["Gelu", "FastGelu", "QuickGelu"])("%s", (op) => agrees(contrib([node(op, ["x"], ["y"])], {}), { x }));
  test("BiasGelu", () => agrees(contrib([node("BiasGelu", ["x", "b"], ["y"])], { b: noise([4]) }), { x }));
  test("FusedMatMul", () =>
    agrees(
      contrib([node("FusedMatMul", ["x", "w"], ["y"], { transB: 1, alpha: { float: 0.5 } })], { w: noise([5, 4]) }),
      { x },
    ));
  test("SkipLayerNormalization", () =>
    agrees(
      contrib([node("SkipLayerNormalization", ["x", "x", "s", "b"], ["y"], { epsilon: { float: 1e-5 } })], {
        s: noise([4]),
        b: noise([4]),
      }),
      { x },
    ));
});

/** The older form gives the very graph that the newer one gives. */
describe("forms of older opsets", () => {
  const graphOf = (parts: ModelParts): Buffer => Buffer.from(exportOnnx(importOnnx(model(parts)).graph));
  const same = (old: ModelParts, now: ModelParts): void => expect(graphOf(old).equals(graphOf(now))).toBe(true);
  const inputs = [info("x", ["batch", 4, 1])];

  test("axes as an attribute: Squeeze, Unsqueeze, ReduceSum, ReduceMean", () => {
    for (const op of ["Squeeze", "Unsqueeze", "ReduceSum", "ReduceMean"]) {
      same(
        { nodes: [node(op, ["x"], ["y"], { axes: [2] })], inputs, opset: 11 },
        { nodes: [node(op, ["x", "axes"], ["y"])], inputs, weights: { axes: int64s([2]) }, opset: 18 },
      );
    }
  });

  test("Split with sizes as an attribute, and in equal parts without any", () => {
    const sizes = { sizes: int64s([1, 3]) };
    same(
      { nodes: [node("Split", ["x"], ["y", "z"], { axis: 1, split: [1, 3] })], inputs, outputs: ["y", "z"], opset: 11 },
      { nodes: [node("Split", ["x", "sizes"], ["y", "z"], { axis: 1 })], inputs, outputs: ["y", "z"], weights: sizes },
    );
    same(
      { nodes: [node("Split", ["x"], ["y", "z"], { axis: 1 })], inputs, outputs: ["y", "z"], opset: 13 },
      {
        nodes: [node("Split", ["x"], ["y", "z"], { axis: 1, num_outputs: 2 })],
        inputs,
        outputs: ["y", "z"],
        opset: 18,
      },
    );
  });

  test("Softmax over everything from the axis on, before opset 13", () =>
    agrees(
      { nodes: [node("Softmax", ["x"], ["y"])], inputs: [info("x", [2, 3, 2])], opset: 11 },
      { x: noise([2, 3, 2]) },
    ));

  test("constants in every form", () => {
    const forms = [
      node("Constant", [], ["c"], { value: floats([2], []) }),
      node("Constant", [], ["c"], { value_float: { float: 2 } }),
    ];
    const parts = (constant: NodeProto): ModelParts => ({ nodes: [constant, node("Mul", ["x", "c"], ["y"])] });
    same(parts(forms[0]!), parts(forms[1]!));
  });
});
