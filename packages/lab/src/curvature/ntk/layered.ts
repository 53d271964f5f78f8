/** The Jacobians of parameters with layer rules, from what their rules make of activations and cotangents. */
import type { Builder, Value } from "@sedge/autodiff";
import { sizeOf } from "../../models/model.js";
import { productGradient } from "./forms/gradients.js";
import { positionsFirst, type Fixed, type JacobianPart, type ParamJacobian, type ProductPart } from "./jacobian.js";
import type { SideValues } from "./rules/rule.js";
import { ruleOf } from "./rules/rules.js";
import type { LayeredParam, PlacedUse } from "./tapped-model.js";

/** What is the same for every direction, by use. */
export type FixedParts = ReadonlyMap<PlacedUse, Fixed>;

export const fixedParts = (b: Builder, layered: readonly LayeredParam[], side: SideValues): FixedParts =>
  new Map(layered.flatMap(({ uses }) => uses.map((use) => [use, ruleOf(use).fixed(b, use, side)] as const)));

/**
 * What one direction adds to each use of each parameter, in order: one backward pass.
 *
 * @param below  Another value to pull the direction back to; its cotangent comes as `pulled`.
 */
export function movingParts(
  b: Builder,
  layered: readonly LayeredParam[],
  side: SideValues,
  output: Value,
  direction: Value,
  below: Value | null = null,
): { readonly moving: Value[][]; readonly pulled: Value | null } {
  const outputs = [...new Set(layered.flatMap(({ uses }) => uses.map((use) => use.output)))];
  const made = outputs.map((value) => side.of(value));
  const pulled = b.vjp([output], [direction], below ? [...made, below] : made);
  const cotangents = new Map(outputs.map((value, i) => [value, pulled[i] ?? b.zerosLike(made[i]!)]));
  return {
    moving: layered.map(({ uses }) => uses.map((use) => ruleOf(use).moving(b, use, side, cotangents.get(use.output)!))),
    pulled: below && (pulled[made.length] ?? b.zerosLike(below)),
  };
}

/** A parameter's Jacobian from its uses' parts; `root` is D^{-1/2} in the parameter's shape. */
export function jacobianOf(
  b: Builder,
  { param, uses }: LayeredParam,
  parts: readonly JacobianPart[],
  root: Value | undefined,
): ParamJacobian {
  const jacobian = { param: param.name, size: sizeOf(param.shape), parts: joined(b, parts), root: null };
  return root ? withRoot(b, jacobian, root, uses[0]!) : jacobian;
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
function joined(b: Builder, parts: readonly JacobianPart[]): readonly JacobianPart[] {
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
