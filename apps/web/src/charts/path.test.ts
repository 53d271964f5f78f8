import fc from "fast-check";
import { expect, test } from "vitest";
import { tracePath, type Pen } from "./path.js";

type Stroke = [x: number, y: number][];

function draw(y: readonly number[], { x = y.map((_, i) => i), pixelsPerPoint = 1, columnWidth = 1 } = {}) {
  const strokes: Stroke[] = [];
  const pen: Pen = {
    moveTo: (px, py) => void strokes.push([[px, py]]),
    lineTo: (px, py) => void strokes.at(-1)!.push([px, py]),
  };
  const toX = { offset: 0, factor: pixelsPerPoint };
  const toY = { offset: 0, factor: 1 };
  tracePath(pen, Float64Array.from(x), Float64Array.from(y), 0, y.length, toX, toY, columnWidth);
  return strokes;
}

test("with room for every point, every point is drawn", () => {
  expect(draw([3, 1, 2])).toEqual([
    [
      [0, 3],
      [1, 1],
      [2, 2],
    ],
  ]);
});

test("the line breaks at NaN, and a lone point makes no line", () => {
  const strokes = draw([1, NaN, 2, 3, NaN, NaN, 4]);
  expect(strokes).toEqual([
    [[0, 1]],
    [
      [2, 2],
      [3, 3],
    ],
    [[6, 4]],
  ]);
});

test("however many points fall into a pixel, at most two are drawn, peaks among them", () => {
  const anyValues = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 400 });
  fc.assert(
    fc.property(anyValues, fc.integer({ min: 1, max: 40 }), (values, perPixel) => {
      const strokes = draw(values, { pixelsPerPoint: 1 / perPixel });
      expect(strokes.length).toBe(1);
      const drawn = strokes[0]!;
      // 1/3 has no exact double: the column of a point on a boundary is what the product says.
      const columns = new Set(values.map((_, i) => Math.floor(i * (1 / perPixel))));
      // Two a column, and the first and last point of the line.
      expect(drawn.length).toBeLessThanOrEqual(2 * columns.size + 2);
      for (const column of columns) {
        const here = values.filter((_, i) => Math.floor(i * (1 / perPixel)) === column);
        const shown = drawn.filter(([px]) => Math.floor(px) === column).map(([, py]) => py);
        expect(Math.min(...shown)).toBe(Math.min(...here));
        expect(Math.max(...shown)).toBe(Math.max(...here));
      }
      expect(drawn[0]![1]).toBe(values[0]);
      expect(drawn.at(-1)![1]).toBe(values.at(-1));
      expect(drawn.every(([px], i) => i === 0 || px >= drawn[i - 1]![0])).toBe(true);
    }),
  );
});
