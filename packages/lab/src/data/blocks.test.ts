import fc from "fast-check";
import { expect, test } from "vitest";
import { blocksOf } from "./blocks.js";

test("blocks are the split in order, none above the limit, none larger than another by more than one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 60 }), (examples, most) => {
      const inputs = Float32Array.from({ length: examples * 3 }, (_, i) => i);
      const targets = Float32Array.from({ length: examples * 2 }, (_, i) => -i);
      const blocks = blocksOf({ examples, inputs, targets }, most);
      const sizes = blocks.map((block) => block.examples);
      expect(blocks.flatMap((block) => Array.from(block.inputs))).toEqual(Array.from(inputs));
      expect(blocks.flatMap((block) => Array.from(block.targets))).toEqual(Array.from(targets));
      expect(Math.max(...sizes)).toBeLessThanOrEqual(most);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      for (const block of blocks) expect(block.weight).toBe(block.examples / examples);
    }),
  );
});
