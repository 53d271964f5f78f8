import { product } from "../arrangement.js";
import type { PartSize } from "../cost.js";
import type { PlacedUse } from "../tapped-model.js";
import { bias } from "./bias.js";
import { convolution } from "./convolution.js";
import { dense } from "./dense.js";
import { embedding } from "./embedding.js";
import type { LayerRule, UseOf } from "./rule.js";
import { scale } from "./scale.js";

const rules: { readonly [Kind in PlacedUse["kind"]]: LayerRule<UseOf<Kind>> } = {
  dense,
  convolution,
  bias,
  scale,
  embedding,
};

/** The rule of a use's kind. */
export const ruleOf = (use: PlacedUse): LayerRule<PlacedUse> => rules[use.kind] as LayerRule<PlacedUse>;

/** The sizes of a use's factors; null for one that has none. */
export function partSize(use: PlacedUse): PartSize | null {
  if (use.kind === "bias" || use.kind === "scale") return null;
  const { axis, before, after } = use.place;
  const without = (from: number, to?: number): number =>
    product([...use.output.shape.slice(from, to).filter((_, i) => from + i !== axis), before, after]);
  switch (use.kind) {
    case "dense": {
      const [fixed, moving] = [use.input, use.output].map(({ shape }) => shape.at(-1) as number) as [number, number];
      return { positions: without(0, -1), groups: 1, fixed, moving, isOneHot: false };
    }
    case "convolution": {
      const [out, ...window] = use.shape as readonly number[];
      const groups = Number(use.attributes["group"] ?? 1);
      const positions = without(0) / out!;
      return { positions, groups, fixed: product(window), moving: out! / groups, isOneHot: false };
    }
    case "embedding": {
      const [rows, ...width] = use.shape as readonly number[];
      const positions = without(0, use.indices.shape.length);
      return { positions, groups: 1, fixed: rows!, moving: product(width), isOneHot: true };
    }
  }
}
