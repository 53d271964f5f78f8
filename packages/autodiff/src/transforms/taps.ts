/**
 * Layer taps: for every parameter, its layer's input activations and the cotangents of the layer's output. Gradients,
 * their norms and the NTK follow from these layer by layer, and no Jacobian is ever formed: of a dense layer with
 * activations A [n, in] and cotangents D [C·n, out], the NTK is (D·Dᵀ) ∘ (A·Aᵀ).
 */
import { Builder, graphOf } from "../builder/builder.js";
import { atomsOf, multiplyDims, show, type Dim } from "../ir/dims.js";
import { GraphError } from "../ir/errors.js";
import type { Attributes, Graph, Value } from "../ir/graph.js";
import { dependencies, nodesBetween } from "../ir/traverse.js";
import { rebuild } from "../passes/rebuild.js";
import { outputOf } from "./graphs.js";
import { parameterUses, type ParameterUse } from "./parameter-uses.js";

export interface TapsOptions {
  /** The output to pull back from: [n, C] for one-hot cotangents, any shape or a scalar loss for given ones. */
  readonly of: string;
  readonly params: readonly string[];
  /**
   * - "one-hot" (default): the derivative of each of the C outputs of each example; cotangents are [C, n, out].
   * - "given": that of a scalar, or Σ of × the input "cotangent/<of>"; cotangents have the layer output's shape.
   */
  readonly cotangents?: "one-hot" | "given";
}

/** A use of a parameter, with the names of the outputs that tell about it. Uses of one layer share cotangents. */
export interface TapUse {
  readonly kind: Exclude<ParameterUse["kind"], "other">;
  readonly param: string;
  /** Output with the layer's input (the indices of an embedding); absent for biases. */
  readonly activations?: string;
  /** Output with the cotangents of what the layer makes. */
  readonly cotangents: string;
  /** For dense layers, whether W is stored [out, in]. */
  readonly transposed?: boolean;
  /** For convolutions, those of the ONNX op. */
  readonly attributes?: Attributes;
}

export interface Taps {
  /** Outputs: activations and cotangents, and `of` itself. */
  readonly graph: Graph;
  readonly uses: readonly TapUse[];
  /** Uses of a kind that has no layer rule: their gradients need another way. */
  readonly others: readonly Extract<ParameterUse, { kind: "other" }>[];
}

/**
 * @throws GraphError  for one-hot cotangents, if `of` is not [n, C] with a symbolic n, the batch, and a known C. Examples
 *                     must not influence one another.
 */
export function taps(graph: Graph, { of, params, cotangents = "one-hot" }: TapsOptions): Taps {
  const output = outputOf("taps", graph, of);
  const found = parameterUses(graph, { of, params });
  const layers = found.filter((use) => use.kind !== "other");
  const made = [...new Set(layers.map((use) => use.output))];
  const g = new Builder(graph);
  const pulled = cotangents === "one-hot" ? oneHotCotangents(g, output, made) : givenCotangents(g, of, output, made);

  const outputs: Record<string, Value> = { [of]: output };
  const names = new Map<Value, string>();
  const tap = (prefix: string, param: string, value: Value): string => {
    const taken = names.get(value);
    if (taken !== undefined) return taken;
    // A parameter used again gets numbered names.
    let name = `${prefix}/${param}`;
    for (let i = 2; name in outputs; i++) name = `${prefix}/${param}/${i}`;
    names.set(value, name);
    outputs[name] = value;
    return name;
  };
  const uses = layers.map((use): TapUse => {
    const { kind, param } = use;
    const input = "input" in use ? use.input : "indices" in use ? use.indices : null;
    return {
      kind,
      param,
      ...(input && { activations: tap("activations", param, input) }),
      cotangents: tap("cotangents", param, pulled.get(use.output)!),
      ...("transposed" in use && { transposed: use.transposed }),
      ...("attributes" in use && { attributes: use.attributes }),
    };
  });
  return { graph: graphOf(outputs, `${graph.name}/taps`), uses, others: found.filter((use) => use.kind === "other") };
}

function givenCotangents(g: Builder, of: string, output: Value, made: readonly Value[]): Map<Value, Value> {
  const seed =
    output.shape.length === 0 ? g.full([], 1, output) : g.input(`cotangent/${of}`, output.shape, output.type);
  return new Map(g.vjp([output], [seed], made).map((cotangent, i) => [made[i]!, cotangent ?? g.zerosLike(made[i]!)]));
}

/**
 * All C backward passes in one: the batch is repeated C times, and each copy pulled back from another output. Only what
 * the backward pass reads is repeated; the forward pass runs once.
 */
function oneHotCotangents(g: Builder, output: Value, made: readonly Value[]): Map<Value, Value> {
  const [batch, classes] = output.shape;
  if (output.shape.length !== 2 || typeof batch !== "string" || typeof classes !== "number") {
    throw new GraphError(
      `taps: expected an output of shape [batch, C] with a symbolic batch and a known number of outputs C, got ${show(output.shape)}.`,
    );
  }
  const seed = g.placeholder("cotangent", output);
  const pulled = g.vjp([output], [seed], made).map((cotangent, i) => cotangent ?? g.zerosLike(made[i]!));

  const copies = new Copies(g, batch, classes);
  const identity = g.constant(
    Float32Array.from({ length: classes ** 2 }, (_, i) => Number(i % (classes + 1) === 0)),
    { shape: [classes, 1, classes] },
  );
  const oneHot = g.reshape(g.expandTo(g.cast(identity, output.type), [classes, batch, classes]), [
    multiplyDims(classes, batch),
    classes,
  ]);
  const { nodes, dependent } = nodesBetween([seed], pulled);
  const read = new Set([...nodes.flatMap(dependencies), ...pulled].filter((value) => !dependent.has(value)));
  const bound = new Map([[seed, oneHot], ...[...read].map((value) => [value, copies.of(value)] as const)]);
  const stacked = rebuild(g, pulled, bound);
  return new Map(made.map((value, i) => [value, g.reshape(stacked[i]!, [classes, ...value.shape])]));
}

/** Values repeated along their batch axis, copy after copy. */
class Copies {
  constructor(
    private readonly g: Builder,
    private readonly batch: string,
    private readonly count: number,
  ) {}

  of(value: Value): Value {
    const { g } = this;
    if (value.content?.some((dim) => this.mentions(dim)))
      return g.reshape(g.shapeTensor(value.content.map((dim) => this.scaled(dim))), value.shape);
    const axis = value.shape.findIndex((dim) => this.mentions(dim));
    if (axis < 0) return value;
    if (value.shape[axis] !== this.batch) {
      if (value.origin.kind !== "node")
        throw new GraphError(`taps: cannot repeat ${show(value.shape)} along "${this.batch}".`);
      // The batch is part of a merged axis: repeat what it was merged from.
      const { node } = value.origin;
      return rebuild(
        g,
        [value],
        new Map(node.inputs.filter((input) => input !== null).map((input) => [input, this.of(input)])),
      )[0]!;
    }
    const before = value.shape.slice(0, axis);
    const after = value.shape.slice(axis + 1);
    const repeated = g.expandTo(g.unsqueeze(value, [axis]), [...before, this.count, this.batch, ...after]);
    return g.reshape(repeated, [...before, multiplyDims(this.count, this.batch), ...after]);
  }

  private mentions(dim: Dim): boolean {
    return atomsOf(dim).includes(this.batch);
  }

  /** The dimension with `count` times the batch; exact where the batch is a factor of every term. */
  private scaled(dim: Dim): Dim {
    return this.mentions(dim) ? multiplyDims(this.count, dim) : dim;
  }
}
