import { show } from "../ir/dims.js";
import { ShapeError } from "../ir/errors.js";
import type { Graph, Value } from "../ir/graph.js";
import { leavesReaching } from "../ir/traverse.js";
import {
  gaussNewtonVectorProductOf,
  gradientOf,
  hessianVectorProductOf,
  type GaussNewtonParts,
} from "../transforms/curvature.js";
import { jvpOf } from "../transforms/jvp.js";
import { vjpOf } from "../transforms/vjp.js";
import type { Derivative } from "../ops/rule.js";
import { buildLoop, type LoopParts, type LoopResult } from "./loop.js";
import { LinearBuilder } from "./linear.js";
import { rebuild } from "../passes/rebuild.js";

/** Builds graphs: one method for each op, losses, loops, and differentiation of values built so far. */
export class Builder extends LinearBuilder {
  /** Mean over examples (axis 0) of ½ Σ (output − target)². */
  squaredLoss(output: Value, target: Value): Value {
    const residual = this.sub(output, target);
    const axes = residual.shape.map((_, axis) => axis).slice(1);
    const each = this.reduceSumSquare(residual, axes);
    return this.mul(this.reduceMean(each), 0.5);
  }

  /**
   * Mean over examples of the cross-entropy of softmax(logits). Logits of any size: no probability is ever formed and
   * divided by. The gradient by the logits is (softmax − target)/n, for labels in three passes over them.
   *
   * @param logits  [n, C]
   * @param target  Class labels, int64 [n], from 0 to C − 1: a label of C or more is an error when run. Or weights of the
   *                classes [n, C], probabilities say; rows need not add up to 1.
   */
  crossEntropy(logits: Value, target: Value): Value {
    const [, classes] = logits.shape;
    if (logits.shape.length !== 2 || typeof classes !== "number") {
      throw new ShapeError(
        `crossEntropy: expected logits (n, C) with a known number C of classes, got ${show(logits.shape)}.`,
      );
    }
    const logProbabilities = this.logSoftmax(logits);
    if (target.type === "int64") {
      const chosen = this.node("GatherElements", [logProbabilities, this.unsqueeze(target, [1])], { axis: 1 });
      return this.neg(this.reduceMean(chosen));
    }
    return this.neg(this.reduceMean(this.reduceSum(this.mul(logProbabilities, target), [1])));
  }

  /** Labels int64 [n] as rows [n, classes] with a single 1, of the type of `like`. */
  oneHot(labels: Value, classes: number, like: Value): Value {
    const all = this.constant(
      Array.from({ length: classes }, (_, label) => label),
      { type: "int64" },
    );
    return this.cast(this.equal(this.unsqueeze(labels, [1]), all), like.type);
  }

  /** Computes another graph's outputs from values of this one. Its symbolic sizes follow from the values given. */
  call(graph: Graph, inputs: Readonly<Record<string, Value>>): Record<string, Value> {
    const bound = new Map<Value, Value>();
    const needed = new Set(leavesReaching(Object.values(graph.outputs)));
    for (const [name, formal] of Object.entries(graph.inputs)) {
      const actual = inputs[name];
      if (actual) bound.set(formal, actual);
      else if (needed.has(formal)) throw new ShapeError(`call: graph "${graph.name}" needs an input "${name}".`);
    }
    const names = Object.keys(graph.outputs);
    const values = rebuild(this, Object.values(graph.outputs), bound);
    return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
  }

  /** Repeats a computation, carrying state. See LoopParts. */
  loop<S extends Record<string, Value>, R extends Record<string, Value>>(parts: LoopParts<S, R>): LoopResult<S, R> {
    return buildLoop(this, parts);
  }

  /** Cotangents of `wrt` from those of `of`; null where structurally zero. */
  vjp(of: readonly Value[], cotangents: readonly Derivative[], wrt: readonly Value[]): Derivative[] {
    return vjpOf(this, of, cotangents, wrt);
  }

  /** Tangents of `of` from those of `wrt`; null where structurally zero. */
  jvp(of: readonly Value[], wrt: readonly Value[], tangents: readonly Derivative[]): Derivative[] {
    return jvpOf(this, of, wrt, tangents);
  }

  /** The gradient of a scalar, times `seed` if given. Zeros where it does not depend on a value. */
  gradient(loss: Value, wrt: readonly Value[], { seed }: { seed?: Value } = {}): Value[] {
    return gradientOf(this, loss, wrt, seed);
  }

  /** H·v for the Hessian of a scalar, forward over reverse. */
  hessianVectorProduct(loss: Value, wrt: readonly Value[], vectors: readonly Value[]): Value[] {
    return hessianVectorProductOf(this, loss, wrt, vectors);
  }

  /** Jᵀ·H_ℓ·J·v: J the Jacobian of `output`, H_ℓ the Hessian of the loss as a function of it. */
  gaussNewtonVectorProduct(parts: GaussNewtonParts): Value[] {
    return gaussNewtonVectorProductOf(this, parts);
  }

  /** The sum of two derivatives, either of which may be zero. */
  addTangents(a: Derivative, b: Derivative): Derivative {
    if (a === null || b === null) return a ?? b;
    return this.add(a, b);
  }
}

/**
 * Builds a graph.
 *
 * @example
 * const model = graph((b) => {
 *   const x = b.input("x", ["batch", 784]);
 *   const w = b.input("W", [784, 10]);
 *   return { output: b.tanh(b.dense(x, w)) };
 * });
 */
export function graph(build: (b: Builder) => Record<string, Value>, { name = "graph" }: { name?: string } = {}): Graph {
  const b = new Builder();
  const outputs = build(b);
  return graphOf(outputs, name, b.declaredInputs());
}

/** The graph of these outputs. Its inputs are those given and those the outputs need. */
export function graphOf(
  outputs: Record<string, Value>,
  name: string,
  declared: Readonly<Record<string, Value>> = {},
): Graph {
  const inputs: Record<string, Value> = { ...declared };
  for (const leaf of leavesReaching(Object.values(outputs))) {
    if (leaf.origin.kind === "input") inputs[leaf.origin.name] = leaf;
  }
  return { name, inputs, outputs };
}
