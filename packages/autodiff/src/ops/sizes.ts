/** Shape, Size, ConstantOfShape, Range: tensors made of sizes. None depends continuously on its inputs. */
import { divideDims, addDims, isStatic, sizeOf, subtractDims, type Dim } from "../ir/dims.js";
import { constantOf } from "../ir/graph.js";
import { numbersOf } from "../ir/tensor.js";
import { knownDims } from "./layout.js";
import { defineOp, fail, int, tensorAttribute, type OpRule } from "./rule.js";

/** Longest tensor of known integers worth carrying along. */
const MOST_KNOWN = 1024;

const shape = defineOp({
  op: "Shape",
  inputs: ["data"],
  attributes: { start: int(0), end: int() },
  infer: ({ inputs: [x], attributes: { start, end } }) => {
    const content = x.shape.slice(start, end);
    return { type: "int64", shape: [content.length], content };
  },
});

const size = defineOp({
  op: "Size",
  inputs: ["data"],
  infer: ({ inputs: [x] }) => ({ type: "int64", shape: [], content: [sizeOf(x.shape)] }),
});

const constantOfShape = defineOp({
  op: "ConstantOfShape",
  inputs: ["input"],
  attributes: { value: tensorAttribute() },
  infer: ({ inputs: [target], attributes: { value } }) => {
    const dims = knownDims(target);
    const type = value?.type ?? "float32";
    const known = type === "int64" && dims.length === 1 && typeof dims[0] === "number" && dims[0] <= MOST_KNOWN;
    return {
      type,
      shape: dims,
      ...(known ? { content: new Array<Dim>(dims[0] as number).fill(numbersOf(value!)[0]!) } : {}),
    };
  },
});

/** start, start + delta, … up to but without limit. */
const range = defineOp({
  op: "Range",
  inputs: ["start", "limit", "delta"],
  infer: (node) => {
    const [start, limit, delta] = node.inputs;
    if (start.type !== limit.type || start.type !== delta.type) fail(node, "expected operands of one type");
    const bounds = node.inputs.map(
      (value) => value.content?.[0] ?? (constantOf(value) ? numbersOf(constantOf(value)!)[0] : undefined),
    );
    const [from, to, by] = bounds;
    if (from === undefined || to === undefined || by === undefined)
      return { type: start.type, shape: [`range${start.id}.${limit.id}`] };
    const length =
      typeof from === "number" && typeof to === "number" && typeof by === "number"
        ? Math.max(0, Math.ceil((to - from) / by))
        : divideDims(subtractDims(addDims(to, subtractDims(by, 1)), from), by);
    const known = start.type === "int64" && isStatic([length, from, by]) && (length as number) <= MOST_KNOWN;
    return {
      type: start.type,
      shape: [length],
      ...(known
        ? { content: Array.from({ length: length as number }, (_, i) => (from as number) + i * (by as number)) }
        : {}),
    };
  },
});

export const sizeRules: readonly OpRule[] = [shape, size, constantOfShape, range];
