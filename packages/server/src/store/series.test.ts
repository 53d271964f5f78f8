import { expect, test } from "vitest";
import { decodeMetricBlock, encodeMetricBlock } from "./metric-block.js";
import { collectSeries } from "./series.js";

const block = (...points: [step: number, value: number][]) =>
  decodeMetricBlock(
    encodeMetricBlock(
      points.map(([step, value]) => ({ step, time: value, values: { k: value } })),
      () => 1,
    ),
  );
const wanted = new Map([[1, "k"]]);

test("of several points on one step the one written last counts, and steps come in order", () => {
  const { k } = collectSeries(
    [block([1, 10], [2, 20], [3, 30]), block([2, 21], [3, 31], [4, 41]), block([3, 32])],
    wanted,
    -1,
  );
  expect([...k!.steps]).toEqual([1, 2, 3, 4]);
  expect([...k!.values]).toEqual([10, 21, 32, 41]);
  expect([...k!.times]).toEqual([10, 21, 32, 41]);
});

test("afterStep leaves out the step itself and those before", () => {
  const { k } = collectSeries([block([1, 10], [2, 20], [3, 30])], wanted, 2);
  expect([...k!.steps]).toEqual([3]);
});

test("metrics that were not asked for, and runs without points, give nothing", () => {
  expect(collectSeries([block([1, 10])], new Map(), -1)).toEqual({});
  expect(collectSeries([], wanted, -1)).toEqual({});
});
