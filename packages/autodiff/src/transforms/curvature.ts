/** First and second order on values: gradients, Hessian- and Gauss–Newton-vector products. */
import type { Builder } from "../builder/builder.js";
import { show } from "../ir/dims.js";
import { GraphError } from "../ir/errors.js";
import { describe, type Value } from "../ir/graph.js";
import type { Derivative } from "../ops/rule.js";
import { jvpOf } from "./jvp.js";
import { vjpOf } from "./vjp.js";

export interface GaussNewtonParts {
  /** A scalar computed from `output`. */
  readonly loss: Value;
  /** The value at which the model ends and the loss begins. */
  readonly output: Value;
  readonly wrt: readonly Value[];
  /** One vector for each of `wrt`, of its shape. */
  readonly vectors: readonly Value[];
}

/** ∂loss/∂wrt · seed, zeros where there is no dependence. @throws GraphError if the loss is not a scalar. */
export function gradientOf(g: Builder, loss: Value, wrt: readonly Value[], seed?: Value): Value[] {
  requireScalar("gradient", loss);
  const cotangents = vjpOf(g, [loss], [seed ?? g.full(loss.shape, 1, loss)], wrt);
  return filled(g, cotangents, wrt);
}

/** H·v = d/dε ∇loss(wrt + εv): the jvp of the gradient. */
export function hessianVectorProductOf(
  g: Builder,
  loss: Value,
  wrt: readonly Value[],
  vectors: readonly Value[],
): Value[] {
  return filled(g, jvpOf(g, gradientOf(g, loss, wrt), wrt, vectors), wrt);
}

/** Jᵀ·H_ℓ·J·v, without forming J: a jvp to the output, the Hessian of the loss there, a vjp back. */
export function gaussNewtonVectorProductOf(g: Builder, { loss, output, wrt, vectors }: GaussNewtonParts): Value[] {
  requireScalar("gaussNewtonVectorProduct", loss);
  const [moved] = jvpOf(g, [output], wrt, vectors);
  const [slope] = gradientOf(g, loss, [output]);
  const [curved] = jvpOf(g, [slope!], [output], [moved!]);
  return filled(g, vjpOf(g, [output], [curved!], wrt), wrt);
}

const filled = (g: Builder, derivatives: readonly Derivative[], wrt: readonly Value[]): Value[] =>
  wrt.map((value, i) => derivatives[i] ?? g.zerosLike(value));

function requireScalar(what: string, value: Value): void {
  if (value.shape.some((dim) => dim !== 1)) {
    throw new GraphError(
      `${what}: expected a scalar, but ${describe(value)} has shape ${show(value.shape)}; reduce it first, by a mean over examples.`,
    );
  }
}
