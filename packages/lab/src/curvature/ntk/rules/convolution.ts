import { convolutionWindows } from "@sedge/autodiff";
import { product } from "../arrangement.js";
import type { LayerRule, UseOf } from "./rule.js";

/**
 * A convolution of any stride, padding, dilation and group: in each group the gradient is Σ over positions of d ⊗ window,
 * with elements in the order [out, taps, in/group].
 */
export const convolution: LayerRule<UseOf<"convolution">> = {
  fixed(b, use, side) {
    const { windows, group, positions, taps } = convolutionWindows(b, { ...use, input: side.of(use.input) });
    const { before, after } = use.place;
    const width = (taps * (windows.shape[3] as number)) / group;
    const all = product([before, after, positions]);
    const isPlain = all === positions && group === 1;
    const apart = b.reshape(windows, [before, side.examples, after, positions, taps, group, width / taps]);
    // To [n, group, before, after, positions, taps, in/group].
    const ordered = isPlain ? windows : b.transpose(apart, [1, 5, 0, 2, 3, 4, 6]);
    const value = b.reshape(ordered, [side.examples, group, all, width]);
    const factor = { kind: "rows", value, positionsLast: false, width } as const;
    return { kind: "product", factor, groups: group, positions: all };
  },
  moving(b, { attributes, place: { before, after } }, side, cotangent) {
    const group = Number(attributes["group"] ?? 1);
    const [, out, ...spatial] = cotangent.shape as readonly [unknown, number, ...number[]];
    const positions = product(spatial);
    const all = product([before, after, positions]);
    const apart = b.reshape(cotangent, [before, side.examples, after, group, out / group, positions]);
    // To [n, group, out/group, before, after, positions].
    const ordered = all === positions ? cotangent : b.transpose(apart, [1, 3, 4, 0, 2, 5]);
    return b.reshape(ordered, [side.examples, group, out / group, all]);
  },
  positionsLast: true,
  movingFirst: () => true,
};
