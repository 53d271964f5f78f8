import type { Value } from "@sedge/autodiff";
import type { PlacedUse, TappedModel } from "../ntk/tapped-model.js";

/** Parameter arrays that make one layer together: a weight and its bias, a normalisation's scale and shift. */
export interface LayerGroup {
  readonly name: string;
  /** That of the first use: dense, convolution, scale, embedding, bias; `other` for those without a layer rule. */
  readonly kind: string;
  readonly params: readonly string[];
  /** Numbers in them. */
  readonly size: number;
}

/** The layers of a model, in the order of its parameters. A shift belongs to what it is added to, through reshapes. */
export function layerGroups({ layered, generic }: TappedModel, sizes: ReadonlyMap<string, number>): LayerGroup[] {
  const groups: { kind: string; params: string[]; made: Set<Value> }[] = [];
  for (const { param, uses } of layered) {
    const [use] = uses as readonly [PlacedUse];
    const owner =
      use.kind === "bias" && uses.length === 1
        ? groups.find(({ made }) => sourcesOf(use.output).some((value) => made.has(value)))
        : undefined;
    if (owner) {
      owner.params.push(param.name);
      continue;
    }
    groups.push({
      kind: use.kind,
      params: [param.name],
      made: new Set(uses.flatMap(({ output }) => unshaped(output))),
    });
  }
  for (const { name } of generic) groups.push({ kind: "other", params: [name], made: new Set() });
  return groups.map(({ kind, params }) => ({
    name: nameOf(params),
    kind,
    params,
    size: params.reduce((sum, param) => sum + sizes.get(param)!, 0),
  }));
}

/** A bias's own output, for layers that add it themselves, and what it was added to. */
function sourcesOf(output: Value): Value[] {
  const inputs = output.origin.kind === "node" && output.origin.node.op === "Add" ? output.origin.node.inputs : [];
  return [output, ...inputs].flatMap((value) => (value ? unshaped(value) : []));
}

/** A value and all that it is a reshape or transpose of. */
function unshaped(value: Value): Value[] {
  if (value.origin.kind !== "node") return [value];
  const { op, inputs } = value.origin.node;
  const isArranged = ["Reshape", "Squeeze", "Unsqueeze", "Transpose", "Flatten"].includes(op);
  return isArranged ? [value, ...unshaped(inputs[0]!)] : [value];
}

/** The part before the last dot that all names share, "layer1.0.conv1"; or the names themselves. */
function nameOf(params: readonly string[]): string {
  const stems = params.map((name) => name.slice(0, Math.max(0, name.lastIndexOf("."))));
  const [stem] = stems;
  return stem && stems.every((each) => each === stem) ? stem : params.join(" + ");
}
