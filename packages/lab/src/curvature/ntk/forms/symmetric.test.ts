import { compile, graph, type Builder, type Value } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { expect, test } from "vitest";
import type { ParamJacobian, ProductPart } from "../jacobian.js";
import { contraction } from "./contraction.js";
import { direct } from "./direct.js";
import { examplesOf, upperHalf } from "./symmetric.js";

const [n, S, positions, fixed, moving] = [7, 2, 3, 4, 5];
const random = createRandom("symmetric");
const feeds = {
  u: Float32Array.from(random.normals(n * positions * fixed)),
  d: Float32Array.from(random.normals(S * n * moving * positions)),
};

function partOf(b: Builder): ProductPart {
  return {
    kind: "product",
    fixed: { kind: "rows", value: b.input("u", [n, 1, positions, fixed]), positionsLast: false, width: fixed },
    moving: { kind: "rows", value: b.input("d", [S, n, 1, moving, positions]), positionsLast: true, width: moving },
    movingFirst: true,
    groups: 1,
    positions,
  };
}

const jacobianOf = (part: ProductPart): ParamJacobian => ({
  param: "w",
  size: fixed * moving,
  parts: [part],
  root: null,
});

// Four groups of 7 examples: the pairs that are computed are those of the whole product, to rounding of float32 sums of 12.
test.each<[string, (b: Builder, part: ProductPart) => readonly [Value, Value]]>([
  [
    "direct",
    (b, part) => [
      direct(b, jacobianOf(part), jacobianOf(part), 1),
      direct(b, jacobianOf(part), jacobianOf(part), 1, n),
    ],
  ],
  [
    "direct in slices",
    (b, part) => [
      direct(b, jacobianOf(part), jacobianOf(part), 1),
      direct(b, jacobianOf(part), jacobianOf(part), 5, n),
    ],
  ],
  [
    "contraction",
    (b, part) => [
      contraction(b, part, part),
      upperHalf(b, n, (start, end) =>
        contraction(b, examplesOf(b, part, start, end), examplesOf(b, part, start, null)),
      ),
    ],
  ],
])("%s: the upper half is that of the whole", async (_, kernels) => {
  const session = await compile(
    graph((b) => {
      const [whole, half] = kernels(b, partOf(b));
      return { whole, half };
    }),
  );
  const { whole, half } = await session.run(feeds);
  await session.dispose();
  expect(half!.shape).toEqual([S, S, n, n]);
  let computed = 0;
  for (let k = 0; k < S * S * n * n; k++) {
    const [i, j] = [Math.floor(k / n) % n, k % n];
    const found = Number(half!.data[k]);
    if (j >= i) expect(Math.abs(found - Number(whole!.data[k]))).toBeLessThan(1e-4);
    computed += Number(found !== 0);
  }
  expect(computed).toBe(S * S * (1 * 7 + 2 * 6 + 2 * 4 + 2 * 2));
});
