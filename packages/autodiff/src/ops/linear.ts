/** MatMul and Gemm. */
import { show, sizeOf, type Dim, type Shape } from "../ir/dims.js";
import { producer, type Value } from "../ir/graph.js";
import { broadcast, broadcastsTo } from "../ir/shapes.js";
import { isFloat } from "../ir/tensor.js";
import { permutation } from "./layout.js";
import { defineOp, fail, float, int, type OpRule } from "./rule.js";

/**
 * Y = A·B for A (…, m, k) and B (…, k, n), batch axes broadcast as in NumPy. Vectors count as a row or a column.
 *
 *     jvp   Ẏ = Ȧ·B + A·Ḃ
 *     vjp   Ā = Ȳ·Bᵀ,  B̄ = Aᵀ·Ȳ,  each summed over the batch axes its operand was broadcast along
 */
const matMul = defineOp({
  op: "MatMul",
  inputs: ["A", "B"],
  infer: (node) => {
    const [{ shape: a, type }, { shape: b }] = node.inputs;
    const batch = broadcast(a.slice(0, -2), b.slice(0, -2));
    if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-2) || batch === null) {
      fail(node, `expected (…, m, k) by (…, k, n) with batch axes equal or 1`);
    }
    return { type, shape: [...batch, a.at(-2)!, b.at(-1)!] };
  },
  simplify: (g, node) => {
    const [a, b] = node.inputs;
    if (a.shape.length === 0 || b.shape.length === 0 || a.shape.at(-1) !== b.shape.at(b.shape.length === 1 ? 0 : -2))
      return null;
    if (b.shape.length === 1) return g.squeeze(g.matMul(a, g.unsqueeze(b, [1])), [-1]);
    if (a.shape.length === 1) return g.squeeze(g.matMul(g.unsqueeze(a, [0]), b), [-2]);
    if (b.shape.length > 2 || !isFloat(a.type)) return null;
    // A stack of matrices times one matrix is one tall product, which Gemm does with no transposed copies.
    const symbols = a.shape.filter((dim) => typeof dim === "string");
    if (a.shape.length > 2 && symbols.length > 1) return null;
    const inner = a.shape.at(-1)!;
    const rows = g.reshape(a, [sizeOf(a.shape.slice(0, -1)), inner]);
    return g.reshape(g.gemm(rows, b), [...a.shape.slice(0, -1), b.shape[1]!]);
  },
  jvp: (g, { inputs: [a, b] }, [da, db]) => g.addTangents(da && g.matMul(da, b), db && g.matMul(a, db)),
  vjp: (g, { inputs: [a, b] }, dy, [wantA, wantB]) => [
    wantA ? g.sumTo(g.matMul(dy, g.transposeLast(b)), a.shape) : null,
    wantB ? g.sumTo(g.matMul(g.transposeLast(a), dy), b.shape) : null,
  ],
});

const flip = (transposed: number): 0 | 1 => (transposed ? 0 : 1);

/**
 * Y = α·A·B + β·C for matrices, A and B transposed on request, C broadcast to the result.
 *
 *     jvp   Ẏ = α(Ȧ·B + A·Ḃ) + βĊ, chained through C so that no product is added separately
 *     vjp   Ā = αȲ·Bᵀ,  B̄ = αAᵀ·Ȳ,  C̄ = βȲ summed to C's shape
 */
const gemm = defineOp({
  op: "Gemm",
  inputs: ["A", "B", "C?"],
  attributes: { alpha: float(1), beta: float(1), transA: int(0), transB: int(0) },
  infer: (node) => {
    const { transA, transB } = node.attributes;
    const [a, b, c] = node.inputs;
    if (a.shape.length !== 2 || b.shape.length !== 2) fail(node, "expected two matrices");
    const [m, inner] = oriented(a.shape, transA);
    const [k, n] = oriented(b.shape, transB);
    if (inner !== k || a.type !== b.type || (c && c.type !== a.type)) {
      fail(node, `expected ${transA ? "(k, m)" : "(m, k)"} by ${transB ? "(n, k)" : "(k, n)"} of one type`);
    }
    if (c && !broadcastsTo(c.shape, [m, n])) fail(node, `expected C to broadcast to ${show([m, n])}`);
    return { type: a.type, shape: [m, n] };
  },
  simplify: (g, { inputs: [a, b, c], attributes: { alpha, beta, transA, transB } }) => {
    if (a.shape.length !== 2 || b.shape.length !== 2) return null;
    const [left, right] = [untransposed(a), untransposed(b)];
    if (!left && !right) return null;
    return g.gemm(left ?? a, right ?? b, c, {
      alpha,
      beta,
      transA: left ? flip(transA) : transA,
      transB: right ? flip(transB) : transB,
    });
  },
  jvp: (g, { inputs: [a, b, c], outputs: [y], attributes }, [da, db, dc]) => {
    const { beta } = attributes;
    let sum = dc;
    let weight = beta;
    for (const [left, right] of [
      [da, b],
      [a, db],
    ] as const) {
      if (left === null || right === null) continue;
      sum = g.gemm(left, right, sum, { ...attributes, beta: weight });
      weight = 1;
    }
    return sum === dc && c ? g.expandTo(g.mul(dc!, beta), y.shape) : sum;
  },
  vjp: (g, { inputs: [a, b, c], attributes: { alpha, beta, transA, transB } }, dy, [wantA, wantB, wantC]) => [
    wantA
      ? transA
        ? g.gemm(b, dy, null, { alpha, transA: transB, transB: 1 })
        : g.gemm(dy, b, null, { alpha, transB: flip(transB) })
      : null,
    wantB
      ? transB
        ? g.gemm(dy, a, null, { alpha, transA: 1, transB: transA })
        : g.gemm(a, dy, null, { alpha, transA: flip(transA) })
      : null,
    wantC ? g.mul(g.sumTo(dy, c!.shape), beta) : null,
  ],
});

const oriented = ([rows, columns]: Shape, transposed: number): [Dim, Dim] =>
  transposed ? [columns!, rows!] : [rows!, columns!];

/** What a matrix is the transpose of, or null. */
function untransposed(matrix: Value): Value | null {
  const node = producer(matrix);
  if (node?.op !== "Transpose") return null;
  const source = node.inputs[0]!;
  return permutation(node.attributes.perm as readonly number[] | undefined, source)[0] === 1 ? source : null;
}

export const linearRules: readonly OpRule[] = [matMul, gemm];
