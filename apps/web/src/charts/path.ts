/** A mapping from scale positions to pixels: pixel = offset + factor · position. */
export interface Affine {
  readonly offset: number;
  readonly factor: number;
}

/** What a path is drawn on; the part of a canvas context that is needed. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

/**
 * Draws the points `from … to − 1` as a line that breaks at NaN, thinned to what the pixels can show: of the points that
 * fall into one column `columnWidth` pixels wide, the first, the lowest, the highest and the last remain. Every peak
 * survives, and at most four points a column are drawn however many there are.
 *
 * @param x  Positions on the horizontal scale, ascending.
 * @param y  Positions on the vertical scale; NaN is a gap.
 * @returns  How many points the columns held, gaps not counted.
 */
export function tracePath(
  pen: Pen,
  x: Float64Array,
  y: Float64Array,
  from: number,
  to: number,
  toX: Affine,
  toY: Affine,
  columnWidth: number,
): number {
  let drawn = 0;
  let isOpen = false;
  let column = NaN;
  let firstX = 0;
  let lowest = 0;
  let highest = 0;
  let lowestFirst = true;
  let last = 0;
  let lastX = 0;
  let count = 0;

  const flush = () => {
    if (count === 0) return;
    if (count === 2) pen.lineTo(lastX, last);
    else if (count > 2) {
      const middle = (firstX + lastX) / 2;
      if (lowest !== highest) {
        pen.lineTo(middle, lowestFirst ? lowest : highest);
        pen.lineTo(middle, lowestFirst ? highest : lowest);
      }
      pen.lineTo(lastX, last);
    }
    count = 0;
  };

  for (let i = from; i < to; i++) {
    const position = y[i]!;
    if (position !== position || x[i]! !== x[i]!) {
      flush();
      isOpen = false;
      continue;
    }
    const pixelX = toX.offset + toX.factor * x[i]!;
    const pixelY = toY.offset + toY.factor * position;
    const here = Math.floor(pixelX / columnWidth);
    drawn++;
    if (isOpen && here === column) {
      if (pixelY < lowest) {
        lowest = pixelY;
        lowestFirst = false;
      }
      if (pixelY > highest) {
        highest = pixelY;
        lowestFirst = true;
      }
      lastX = pixelX;
      last = pixelY;
      count++;
      continue;
    }
    flush();
    if (isOpen) pen.lineTo(pixelX, pixelY);
    else pen.moveTo(pixelX, pixelY);
    isOpen = true;
    column = here;
    firstX = lastX = pixelX;
    lowest = highest = last = pixelY;
    count = 1;
  }
  flush();
  return drawn;
}
