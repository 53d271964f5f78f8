import type { Builder, Dim, Value } from "@sedge/autodiff";
import type { Fixed } from "../jacobian.js";
import type { PlacedUse } from "../tapped-model.js";

/** Where the values of a tapped model are, on one side of a kernel. */
export interface SideValues {
  /** A value of the tapped graph, as it is here. */
  of(value: Value): Value;
  /** n. */
  readonly examples: Dim;
}

/** How a layer's per-example gradients follow from what goes in and the cotangents of what comes out. */
export interface LayerRule<Use extends PlacedUse> {
  /** What is the same for every direction. */
  fixed(b: Builder, use: Use, side: SideValues): Fixed;
  /**
   * What one direction adds, from the cotangent of the use's output: the per-example gradients [n, P] for an array, for a
   * product the other factor, [n, groups, positions, width] or with the last two swapped.
   */
  moving(b: Builder, use: Use, side: SideValues, cotangent: Value): Value;
  /** For products: the order of the last two axes of what moves, and of the two factors in the parameter. */
  readonly positionsLast: boolean;
  readonly movingFirst: (use: Use) => boolean;
}

export type UseOf<Kind extends PlacedUse["kind"]> = Extract<PlacedUse, { kind: Kind }>;
