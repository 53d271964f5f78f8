import type { Value } from "../ir/graph.js";
import { resolveAxes } from "../ir/shapes.js";
import { LayoutBuilder } from "./layout.js";

export interface GemmOptions {
  readonly alpha?: number;
  readonly beta?: number;
  readonly transA?: number | boolean;
  readonly transB?: number | boolean;
}

export interface ReduceOptions {
  /** Keep reduced axes with size 1. Default false. */
  readonly keepDims?: boolean;
}

/** Matrix products, reductions, softmax. */
export abstract class LinearBuilder extends LayoutBuilder {
  /** a·b over the last two axes, others broadcast. */
  matMul(a: Value, b: Value): Value {
    return this.node("MatMul", [a, b]);
  }

  /** α·a·b + β·c for matrices, transposed on request. */
  gemm(
    a: Value,
    b: Value,
    c: Value | null = null,
    { alpha = 1, beta = 1, transA = 0, transB = 0 }: GemmOptions = {},
  ): Value {
    return this.node("Gemm", [a, b, c], { alpha, beta, transA: Number(transA), transB: Number(transB) });
  }

  /** Sums of products over named axes: "bij,jk->bik". */
  einsum(equation: string, ...operands: readonly Value[]): Value {
    return this.node("Einsum", operands, { equation });
  }

  /**
   * A dense layer x·w + bias.
   *
   * @param x  [n, in], or any number of leading axes.
   * @param w  [in, out]; [out, in] with `transposeW`, as PyTorch stores it.
   */
  dense(x: Value, w: Value, bias: Value | null = null, { transposeW = false }: { transposeW?: boolean } = {}): Value {
    if (x.shape.length === 2) return this.gemm(x, w, bias, { transB: transposeW });
    const product = this.matMul(x, transposeW ? this.transposeLast(w) : w);
    return bias ? this.add(product, bias) : product;
  }

  reduceSum(x: Value, axes: readonly number[] | null = null, options: ReduceOptions = {}): Value {
    return this.reduce("ReduceSum", x, axes, options);
  }

  reduceMean(x: Value, axes: readonly number[] | null = null, options: ReduceOptions = {}): Value {
    return this.reduce("ReduceMean", x, axes, options);
  }

  reduceMax(x: Value, axes: readonly number[] | null = null, options: ReduceOptions = {}): Value {
    return this.reduce("ReduceMax", x, axes, options);
  }

  reduceMin(x: Value, axes: readonly number[] | null = null, options: ReduceOptions = {}): Value {
    return this.reduce("ReduceMin", x, axes, options);
  }

  reduceProd(x: Value, axes: readonly number[] | null = null, options: ReduceOptions = {}): Value {
    return this.reduce("ReduceProd", x, axes, options);
  }

  reduceSumSquare(x: Value, axes: readonly number[] | null = null, options: ReduceOptions = {}): Value {
    return this.reduce("ReduceSumSquare", x, axes, options);
  }

  reduceLogSumExp(x: Value, axes: readonly number[] | null = null, options: ReduceOptions = {}): Value {
    return this.reduce("ReduceLogSumExp", x, axes, options);
  }

  softmax(x: Value, axis = -1): Value {
    return this.node("Softmax", [x], { axis });
  }

  logSoftmax(x: Value, axis = -1): Value {
    return this.node("LogSoftmax", [x], { axis });
  }

  private reduce(op: string, x: Value, axes: readonly number[] | null, { keepDims = false }: ReduceOptions): Value {
    const resolved = resolveAxes(axes, x.shape.length);
    // ONNX reads an empty list of axes as all of them, unless told otherwise.
    const noop = Number(resolved.length === 0);
    return this.node(op, [x, this.integers(resolved)], { keepdims: Number(keepDims), noop_with_empty_axes: noop });
  }
}
