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
 * fall into one column `columnWidth` pixels wide, the lowest and the highest remain, where they are. Every peak
 * survives, a slope stays a slope, and at most two points a column are drawn however many there are. Each piece of line
 * begins and ends at its own first and last point.
 *
 * @param x  Positions on the horizontal scale, ascending.
 * @param y  Positions on the vertical scale; NaN is a gap.
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
): void {
  let isOpen = false;
  let column = NaN;
  let [lowestX, lowest, highestX, highest, lastX, last] = [0, 0, 0, 0, 0, 0];
  let [drawnX, drawn] = [NaN, NaN];

  const lineTo = (pixelX: number, pixelY: number) => {
    if (pixelX === drawnX && pixelY === drawn) return;
    pen.lineTo(pixelX, pixelY);
    drawnX = pixelX;
    drawn = pixelY;
  };
  const endColumn = () => {
    if (lowestX <= highestX) {
      lineTo(lowestX, lowest);
      lineTo(highestX, highest);
    } else {
      lineTo(highestX, highest);
      lineTo(lowestX, lowest);
    }
  };
  const endPiece = () => {
    if (!isOpen) return;
    endColumn();
    lineTo(lastX, last);
    isOpen = false;
  };

  for (let i = from; i < to; i++) {
    const pixelX = toX.offset + toX.factor * x[i]!;
    const pixelY = toY.offset + toY.factor * y[i]!;
    if (Number.isNaN(pixelX) || Number.isNaN(pixelY)) {
      endPiece();
      continue;
    }
    const here = Math.floor(pixelX / columnWidth);
    if (isOpen && here === column) {
      if (pixelY < lowest) {
        lowest = pixelY;
        lowestX = pixelX;
      }
      if (pixelY > highest) {
        highest = pixelY;
        highestX = pixelX;
      }
    } else {
      if (isOpen) endColumn();
      else {
        pen.moveTo(pixelX, pixelY);
        drawnX = pixelX;
        drawn = pixelY;
        isOpen = true;
      }
      column = here;
      lowest = highest = pixelY;
      lowestX = highestX = pixelX;
    }
    lastX = pixelX;
    last = pixelY;
  }
  endPiece();
}
