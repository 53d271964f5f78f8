import type { Kernels } from "./kernels.js";

/** A matrix inside a longer array: entry (i, j) is `source[offset + i·rowStep + j·columnStep]`. */
export interface Operand {
  readonly source: Float64Array | Float32Array;
  readonly offset: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

export interface BlockedProduct {
  /** Where the target's first entry is in the kernels' memory, and how far apart its rows are. */
  readonly target: number;
  readonly rowLength: number;
  readonly left: Operand;
  readonly right: Operand;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** Default 1. */
  readonly scale?: number;
  /** Only entries on and above the target's diagonal are wanted; others may be left incomplete. */
  readonly upperOnly?: boolean;
  /** The right operand is upper triangular, and what lies below its diagonal is not read. Needs inner = columns. */
  readonly rightIsUpper?: boolean;
}

/** Depth of a packed block: the panel of B that a strip rereads, 4 × 256 numbers, fits the first-level cache. */
const DEPTH = 256;
/** Rows of a packed block of A: 96 × 256 numbers fit the second-level cache. */
const HEIGHT = 96;

/** Numbers that `addProduct` needs as scratch. */
export function productScratch(columns: number, inner: number): number {
  const depth = Math.min(DEPTH, inner);
  return depth * (HEIGHT + columns + 3);
}

/**
 * C += scale · A B in the kernels' memory, with the blocking of Goto and van de Geijn (2008): packing once makes every inner
 * loop run over consecutive numbers.
 *
 * @param scratch where `productScratch(columns, inner)` numbers are free
 */
export function addProduct(kernels: Kernels, scratch: number, product: BlockedProduct): void {
  const { target, rowLength, left, right, rows, inner, columns, scale = 1 } = product;
  const { upperOnly = false, rightIsUpper = false } = product;
  const packedLeft = scratch;
  const packedRight = scratch + HEIGHT * Math.min(DEPTH, inner);
  for (let k = 0; k < inner; k += DEPTH) {
    const depth = Math.min(DEPTH, inner - k);
    const firstColumn = rightIsUpper ? k : 0; // a multiple of 4, as DEPTH is
    const width = columns - firstColumn;
    packPanels(kernels.memory, packedRight, {
      source: right.source,
      offset: right.offset + k * right.rowStep + firstColumn * right.columnStep,
      acrossStep: right.columnStep,
      innerStep: right.rowStep,
      across: width,
      inner: depth,
      scale: 1,
    });
    if (rightIsUpper) clearBelowDiagonal(kernels.memory, packedRight, depth);
    for (let i = 0; i < rows; i += HEIGHT) {
      const height = Math.min(HEIGHT, rows - i);
      packPanels(kernels.memory, packedLeft, {
        source: left.source,
        offset: left.offset + i * left.rowStep + k * left.columnStep,
        acrossStep: left.rowStep,
        innerStep: left.columnStep,
        across: height,
        inner: depth,
        scale,
      });
      const tiles = (height + 3) >> 2;
      for (let j = upperOnly ? Math.max(firstColumn, i & ~3) : firstColumn; j < columns; j += 4) {
        const needed = upperOnly ? Math.min(tiles, (j - i + 7) >> 2) : tiles;
        const panel = packedRight + (j - firstColumn) * depth;
        // A column of an upper triangle ends at its diagonal.
        const used = rightIsUpper ? Math.min(depth, j - k + 4) : depth;
        kernels.strip(target + i * rowLength + j, rowLength, packedLeft, panel, needed, used, depth);
      }
    }
  }
}

interface Panels {
  readonly source: Operand["source"];
  readonly offset: number;
  readonly acrossStep: number;
  readonly innerStep: number;
  readonly across: number;
  readonly inner: number;
  readonly scale: number;
}

/** Copies a matrix into panels four numbers across: for each inner index the four next to each other, zeros past the edge. */
export function packPanels(memory: Float64Array, at: number, panels: Panels): void {
  const { source, offset, acrossStep, innerStep, across, inner, scale } = panels;
  const whole = across & ~3;
  if (acrossStep === 1) {
    // Row after row of the source, so that it is read in order.
    for (let k = 0; k < inner; k++) {
      let from = offset + k * innerStep;
      let to = at + 4 * k;
      for (let p = 0; p < whole; p += 4, from += 4, to += 4 * inner) {
        memory[to] = scale * source[from]!;
        memory[to + 1] = scale * source[from + 1]!;
        memory[to + 2] = scale * source[from + 2]!;
        memory[to + 3] = scale * source[from + 3]!;
      }
    }
  } else {
    for (let p = 0; p < whole; p += 4) {
      let from = offset + p * acrossStep;
      let to = at + p * inner;
      for (let k = 0; k < inner; k++, from += innerStep, to += 4) {
        memory[to] = scale * source[from]!;
        memory[to + 1] = scale * source[from + acrossStep]!;
        memory[to + 2] = scale * source[from + 2 * acrossStep]!;
        memory[to + 3] = scale * source[from + 3 * acrossStep]!;
      }
    }
  }
  if (whole === across) return;
  for (let k = 0; k < inner; k++) {
    for (let r = 0; r < 4; r++) {
      const inside = whole + r < across;
      const from = offset + (whole + r) * acrossStep + k * innerStep;
      memory[at + whole * inner + 4 * k + r] = inside ? scale * source[from]! : 0;
    }
  }
}

/** Zeroes what is below the diagonal in the packed diagonal block of an upper triangular right operand. */
function clearBelowDiagonal(memory: Float64Array, packed: number, depth: number): void {
  for (let j = 0; j < depth; j++) {
    const column = packed + (j & ~3) * depth + (j & 3);
    for (let k = j + 1; k < depth; k++) memory[column + 4 * k] = 0;
  }
}
