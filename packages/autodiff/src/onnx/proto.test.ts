import { expect, test } from "vitest";
import { attributeTypes, decodeModel, encodeModel, type ModelProto } from "./proto.js";

/** Of the class that the reader makes in Node. */
const bytes = (...values: number[]) => Buffer.from(values);

test("every kind of field comes back as it was given", () => {
  const model: ModelProto = {
    ir_version: 10,
    producer_name: "sedge",
    graph: {
      name: "über",
      node: [
        {
          op_type: "Loop",
          input: ["", "x"],
          output: ["y"],
          attribute: [
            { name: "f", type: attributeTypes.float, f: 0.5 },
            { name: "i", type: attributeTypes.int, i: -3 },
            { name: "large", type: attributeTypes.int, i: 2 ** 53 - 1 },
            { name: "s", type: attributeTypes.string, s: bytes(0, 255) },
            { name: "floats", type: attributeTypes.floats, floats: [1, -2.5] },
            { name: "ints", type: attributeTypes.ints, ints: [0, -1, 300] },
            { name: "strings", type: attributeTypes.strings, strings: [bytes(), bytes(7)] },
            {
              name: "body",
              type: attributeTypes.graph,
              g: { name: "body", node: [{ op_type: "Relu", output: ["z"] }] },
            },
          ],
        },
      ],
      initializer: [
        { data_type: 1, dims: [2, 3], name: "w", raw_data: bytes(1, 2, 3) },
        { data_type: 11, double_data: [1e300, -0.1], uint64_data: [5], int32_data: [-7], int64_data: [8] },
      ],
      input: [
        {
          name: "x",
          type: { tensor_type: { elem_type: 1, shape: { dim: [{ dim_param: "batch" }, { dim_value: 7 }] } } },
        },
      ],
    },
    opset_import: [{ version: 21 }],
  };
  expect(decodeModel(encodeModel(model))).toEqual(model);
});

test("the bytes are those of the protocol", () => {
  // Field 1, varint 10; field 8, a message of field 2, varint 21.
  const model = { ir_version: 10, opset_import: [{ version: 21 }] } as unknown as ModelProto;
  expect([...encodeModel(model)]).toEqual([0x08, 10, 0x42, 2, 0x10, 21]);
});

test("no source text is compiled, which a content security policy forbids", () => {
  const { Function: compile } = globalThis;
  globalThis.Function = (() => {
    throw new EvalError("forbidden");
  }) as unknown as FunctionConstructor;
  try {
    expect(encodeModel({ ir_version: 1, graph: {}, opset_import: [] }).length).toBe(4);
  } finally {
    globalThis.Function = compile;
  }
});
