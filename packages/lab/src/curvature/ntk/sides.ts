/** One side of a kernel: a block of examples and of directions, with each parameter's Jacobian on them. */
import type { Builder, Dim, Value } from "@sedge/autodiff";
import { sizeOf } from "../../models/model.js";
import { genericJacobians } from "./generic.js";
import { productGradient } from "./forms/gradients.js";
import { positionsFirst, type Fixed, type JacobianPart, type ParamJacobian, type ProductPart } from "./jacobian.js";
import type { SideValues } from "./rules/rule.js";
import { ruleOf } from "./rules/rules.js";
import { nameOf, type LayeredParam, type PlacedUse, type TappedModel } from "./tapped-model.js";

export interface SideOptions {
  /** Prefix of this side's inputs: `<prefix>/<data input>`, and `<prefix>/directions` [S, n, …]. */
  readonly prefix: string;
  /** Symbol of the number of examples. */
  readonly examples: string;
  /** S. */
  readonly directions: number;
  /** Whether gradients are formed where the cotangents are, because they are smaller than what makes them. */
  readonly isFormed: (param: string) => boolean;
  /** Whether there is an input `root/<param>`, D^{-1/2}, for every parameter. */
  readonly isPreconditioned: boolean;
}

export interface Side {
  readonly examples: Dim;
  /** [n, …]. */
  readonly output: Value;
  readonly jacobians: readonly ParamJacobian[];
}

/** The parameters of a tapped model, and with a preconditioner its roots, as inputs of a graph. */
export function paramInputs(b: Builder, { graph, data }: TappedModel, isPreconditioned: boolean): ParamValues {
  const names = Object.keys(graph.inputs).filter((name) => !data.includes(name));
  const declare = (prefix: string) =>
    names.map((name) => [name, b.input(prefix + name, graph.inputs[name]!.shape, graph.inputs[name]!.type)] as const);
  return { values: Object.fromEntries(declare("")), roots: isPreconditioned ? new Map(declare("root/")) : new Map() };
}

export interface ParamValues {
  readonly values: Readonly<Record<string, Value>>;
  /** D^{-1/2} by parameter; empty without a preconditioner. */
  readonly roots: ReadonlyMap<string, Value>;
}

export function buildSide(b: Builder, tapped: TappedModel, params: ParamValues, options: SideOptions): Side {
  const { graph, batch, layered, generic } = tapped;
  const { prefix, examples, directions: count } = options;
  const data = Object.fromEntries(
    tapped.data.map((name) => {
      const { shape, type } = graph.inputs[name]!;
      return [name, b.input(`${prefix}/${name}`, [examples, ...shape.slice(1)], type)];
    }),
  );
  const { shape, type } = graph.outputs["output"]!;
  const directions = b.input(`${prefix}/directions`, [count, examples, ...shape.slice(1)], type);
  const values = batch === null ? {} : b.call(graph, { ...params.values, ...data });
  const side: SideValues = { of: (value) => values[nameOf(value)]!, examples };

  const rest =
    generic.length > 0 ? genericJacobians(b, tapped, { data, params: params.values, directions, examples }) : null;
  const output = values["output"] ?? rest!.output;
  const found = layeredJacobians(b, layered, side, { output, directions }, params, options);
  const others = generic.map(({ name, shape: own }): ParamJacobian => {
    const root = params.roots.get(name);
    return {
      param: name,
      size: sizeOf(own),
      parts: [{ kind: "array", value: rest!.jacobians.get(name)! }],
      root: root ? b.reshape(root, [sizeOf(own)]) : null,
    };
  });
  return { examples, output, jacobians: [...found, ...others] };
}

function layeredJacobians(
  b: Builder,
  layered: readonly LayeredParam[],
  side: SideValues,
  { output, directions }: { readonly output: Value; readonly directions: Value },
  params: ParamValues,
  { isFormed }: SideOptions,
): ParamJacobian[] {
  const outputs = [...new Set(layered.flatMap(({ uses }) => uses.map((use) => use.output)))];
  const fixed = new Map<PlacedUse, Fixed>();
  for (const { uses } of layered) for (const use of uses) fixed.set(use, ruleOf(use).fixed(b, use, side));

  const moved = overDirections(b, directions, (direction) => {
    const pulled = b.vjp(
      [output],
      [direction],
      outputs.map((value) => side.of(value)),
    );
    const cotangents = new Map(outputs.map((value, i) => [value, pulled[i] ?? b.zerosLike(side.of(value))]));
    return layered.flatMap(({ param, uses }): Value[] => {
      const each = uses.map((use) => ruleOf(use).moving(b, use, side, cotangents.get(use.output)!));
      if (!isFormed(param.name)) return each;
      const arrays = uses.map((use, i) => arrayOf(b, partOf(use, fixed.get(use)!, each[i]!)));
      return [arrays.reduce((left, right) => b.add(left, right))];
    });
  });

  let next = 0;
  return layered.map(({ param, uses }): ParamJacobian => {
    const formed = isFormed(param.name);
    const parts = formed
      ? [{ kind: "array", value: moved[next++]! } as const]
      : uses.map((use) => partOf(use, fixed.get(use)!, moved[next++]!));
    const root = params.roots.get(param.name);
    const jacobian = { param: param.name, size: sizeOf(param.shape), parts: joined(b, parts), root: null };
    return root ? withRoot(b, jacobian, root, uses[0]!) : jacobian;
  });
}

/** `values` of every direction: [S, …] each. One direction needs no loop. What differs in shape only is collected once. */
export function overDirections(
  b: Builder,
  directions: Value,
  values: (direction: Value) => readonly Value[],
): readonly Value[] {
  const count = directions.shape[0] as number;
  const reshaped = (collected: Value, { shape }: Value): Value => b.reshape(collected, [count, ...shape]);
  if (count === 1) return values(b.squeeze(directions, [0])).map((value) => reshaped(unshaped(value), value));
  let made: readonly Value[] = [];
  const { scan } = b.loop({
    steps: count,
    state: {},
    body: ({ step }) => {
      made = values(b.gather(directions, step, 0));
      return { state: {}, scan: Object.fromEntries(made.map(unshaped).map((value) => [`v${value.id}`, value])) };
    },
  });
  const collected = scan as Readonly<Record<string, Value>>;
  return made.map((value) => reshaped(collected[`v${unshaped(value).id}`]!, value));
}

/** What a value is a reshape of. */
function unshaped(value: Value): Value {
  if (value.origin.kind !== "node") return value;
  const { op, inputs } = value.origin.node;
  return ["Reshape", "Unsqueeze", "Squeeze"].includes(op) ? unshaped(inputs[0]!) : value;
}

/** A use's part of the Jacobian from its fixed and its moving values, with or without an axis of directions. */
export function partOf(use: PlacedUse, fixed: Fixed, moving: Value): JacobianPart {
  if (fixed.kind === "array") return { kind: "array", value: moving };
  const { positionsLast, movingFirst } = ruleOf(use);
  const width = moving.shape.at(positionsLast ? -2 : -1) as number;
  return {
    kind: "product",
    fixed: fixed.factor,
    moving: { kind: "rows", value: moving, positionsLast, width },
    movingFirst: movingFirst(use),
    groups: fixed.groups,
    positions: fixed.positions,
  };
}

export const arrayOf = (b: Builder, part: JacobianPart): Value =>
  part.kind === "array" ? part.value : productGradient(b, part, null);

/** Uses of the same orientation in one: their positions are laid end to end, which sums over the uses, cross terms included. */
export function joined(b: Builder, parts: readonly JacobianPart[]): readonly JacobianPart[] {
  const products = parts.filter((part): part is ProductPart => part.kind === "product");
  const [first] = products;
  const areAlike = products.every(
    (part) => part.groups === 1 && part.fixed.kind === first!.fixed.kind && part.movingFirst === first!.movingFirst,
  );
  if (products.length < 2 || products.length !== parts.length || !areAlike) return parts;
  const positions = products.reduce((sum, part) => sum + part.positions, 0);
  const moving = products.map((part) => positionsFirst(b, part.moving));
  return [
    {
      ...first!,
      positions,
      fixed: joinedFixed(
        b,
        products.map((part) => part.fixed),
      ),
      moving: { ...first!.moving, positionsLast: false, value: b.concat(moving, moving[0]!.shape.length - 2) },
    },
  ];
}

function joinedFixed(b: Builder, factors: readonly ProductPart["fixed"][]): ProductPart["fixed"] {
  const values = factors.map((factor) => (factor.kind === "rows" ? positionsFirst(b, factor) : factor.indices));
  const [first] = factors as [ProductPart["fixed"]];
  return first.kind === "rows"
    ? { ...first, positionsLast: false, value: b.concat(values, 2) }
    : { ...first, indices: b.concat(values, 1) };
}

/** The Jacobian with D^{-1/2} beside it, in the order of its elements; of a table it is taken into what moves. */
function withRoot(b: Builder, jacobian: ParamJacobian, root: Value, use: PlacedUse): ParamJacobian {
  const [part] = jacobian.parts;
  if (jacobian.parts.length === 1 && part!.kind === "product" && part!.fixed.kind === "one-hot") {
    const rows = b.reshape(root, [part!.fixed.width, part!.moving.width]);
    const own = b.unsqueeze(b.gather(rows, part!.fixed.indices, 0), [1]); // [n, 1, T, d]
    const value = b.mul(positionsFirst(b, part!.moving), own);
    return { ...jacobian, parts: [{ ...part!, moving: { ...part!.moving, positionsLast: false, value } }] };
  }
  return { ...jacobian, root: b.reshape(inOrder(b, root, use), [jacobian.size]) };
}

/** Kernels of convolutions are stored [out, in/group, taps …], and their gradients come as [out, taps, in/group]. */
function inOrder(b: Builder, root: Value, use: PlacedUse): Value {
  if (use.kind !== "convolution") return root;
  const [out, channels] = use.shape as readonly [number, number];
  return b.transpose(b.reshape(root, [out, channels, -1]), [0, 2, 1]);
}
