import { graph, type Builder, type Graph, type Value } from "@sedge/autodiff";

/** A minibatch inside a loop: its loss, and everything needed to differentiate it. */
export interface BatchInLoop {
  readonly b: Builder;
  /** Mean over the minibatch. */
  readonly loss: Value;
  /** The parameters to differentiate with respect to, in order. */
  readonly wrt: readonly Value[];
}

/**
 * A graph that goes through many minibatches of a set in one call. Inputs: those of the objective, with `x` and `y` now the
 * whole set, and `indices`, int64 [batches, batch size].
 *
 * @param names  Of the parameters in `wrt`.
 * @param build  Given the number of minibatches, an int64 scalar, and a function that takes the minibatch at a step.
 */
export function overBatches(
  objective: Graph,
  names: readonly string[],
  build: (parts: {
    readonly b: Builder;
    readonly steps: Value;
    readonly params: readonly Value[];
    readonly batchAt: (step: Value) => BatchInLoop;
  }) => Record<string, Value>,
): Graph {
  return graph((b) => {
    const inputs: Record<string, Value> = {};
    for (const [name, { type, shape }] of Object.entries(objective.inputs)) {
      const isData = name === "x" || name === "y";
      inputs[name] = b.input(name, isData ? ["examples", ...shape.slice(1)] : shape, type);
    }
    const indices = b.input("indices", ["batches", "batchSize"], "int64");
    const params = names.map((name) => inputs[name]!);
    const batchAt = (step: Value): BatchInLoop => {
      const chosen = b.gather(indices, step);
      const data = { x: b.gather(inputs["x"]!, chosen), y: b.gather(inputs["y"]!, chosen) };
      return { b, loss: b.call(objective, { ...inputs, ...data })["loss"]!, wrt: params };
    };
    return build({ b, steps: b.squeeze(b.dimension("batches"), [0]), params, batchAt });
  });
}

/** Σ over all arrays of ⟨a, c⟩, added up in float64: a float32 sum of a million numbers has lost two digits. */
export function innerProduct(b: Builder, left: readonly Value[], right: readonly Value[]): Value {
  return left
    .map((a, i) => b.reduceSum(b.mul(b.cast(a, "float64"), b.cast(right[i]!, "float64"))))
    .reduce((sum, term) => b.add(sum, term));
}
