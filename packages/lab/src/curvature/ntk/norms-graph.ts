/** The graph that computes squared norms of per-example gradients, layer by layer, a direction at a time. */
import { graph, type Builder, type Graph, type Value } from "@sedge/autodiff";
import { overDirections } from "./directions.js";
import { squaredNorms } from "./forms/squared-norms.js";
import { fixedParts, jacobianOf, movingParts, partOf } from "./layered.js";
import { forwardPass, otherJacobians, paramInputs, type ForwardPass, type ParamValues } from "./sides.js";
import type { TappedModel } from "./tapped-model.js";

export interface NormsGraphOptions {
  /**
   * What is pulled back: `directions`, an input [S, n, …] of that many; or the gradients of each example's own loss, for a
   * graph with inputs `output` [n, …] and `y`, and `loss`, a mean over examples: then there is an input `y`.
   */
  readonly of: { readonly directions: number } | { readonly loss: Graph };
  /** n, about. */
  readonly examples: number;
  readonly isPreconditioned: boolean;
  /** For the gradients of one parameter at a time, where they are formed. */
  readonly sliceBytes: number;
  /** Outputs `norms/<param>` for each parameter instead of their sum. */
  readonly areApart?: boolean;
}

/** Inputs: data as `data/<name>`, the parameters, and what `of` says. Output: `norms` [S, n], ‖∇ D^{-1/2}‖² of each. */
export function normsGraph(tapped: TappedModel, options: NormsGraphOptions): Graph {
  return graph(
    (b): Record<string, Value> => {
      const params = paramInputs(b, tapped, options.isPreconditioned);
      const pass = forwardPass(b, tapped, params, "data", "examples");
      const directions = directionsOf(b, tapped, pass, options);
      const others = otherJacobians(b, tapped, params, pass, directions).map((jacobian) =>
        squaredNorms(b, jacobian, options.examples, options.sliceBytes),
      );
      const layered = layeredNorms(b, tapped, params, pass, directions, options);
      if (!options.areApart) return { norms: sumOf(b, [...layered, ...others]) };
      const names = [...tapped.layered.map(({ param }) => param), ...tapped.generic].map(({ name }) => name);
      return Object.fromEntries([...layered, ...others].map((value, k) => [`norms/${names[k]!}`, value]));
    },
    { name: `${tapped.graph.name}-norms` },
  );
}

function directionsOf(
  b: Builder,
  tapped: TappedModel,
  { output, values }: ForwardPass,
  { of }: NormsGraphOptions,
): Value {
  if ("directions" in of) {
    const { shape, type } = tapped.graph.outputs["output"]!;
    return b.input("directions", [of.directions, values.examples, ...shape.slice(1)], type);
  }
  const target = of.loss.inputs["y"]!;
  const y = b.input("y", [values.examples, ...target.shape.slice(1)], target.type);
  const { loss } = b.call(of.loss, { output, y });
  // The loss is a mean over examples, so an example's own gradient is n times its part.
  const [gradient] = b.gradient(loss!, [output]);
  return b.unsqueeze(b.mul(gradient!, b.count([values.examples], output.type)), [0]);
}

const sumOf = (b: Builder, values: readonly Value[]): Value => values.reduce((left, right) => b.add(left, right));

/** Of each layered parameter, [S, n], or of all together; nothing if there are none. */
function layeredNorms(
  b: Builder,
  { layered }: TappedModel,
  params: ParamValues,
  { output, values }: ForwardPass,
  directions: Value,
  { examples, sliceBytes, areApart = false }: NormsGraphOptions,
): readonly Value[] {
  if (layered.length === 0) return [];
  const fixed = fixedParts(b, layered, values);
  return overDirections(b, directions, (direction) => {
    const { moving } = movingParts(b, layered, values, output, direction);
    const norms = layered.map((entry, k) => {
      const parts = entry.uses.map((use, i) => partOf(use, fixed.get(use)!, b.unsqueeze(moving[k]![i]!, [0])));
      return squaredNorms(b, jacobianOf(b, entry, parts, params.roots.get(entry.param.name)), examples, sliceBytes);
    });
    return (areApart ? norms : [sumOf(b, norms)]).map((value) => b.squeeze(value, [0]));
  });
}
