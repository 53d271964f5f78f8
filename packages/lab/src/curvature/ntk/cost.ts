/** Which way of computing a parameter's part of the kernel is cheapest: docs in the forms themselves. */

/** What the choice depends on. */
export interface PartSize {
  /** Positions (tokens, pixels) over which the gradient is a sum. */
  readonly positions: number;
  readonly groups: number;
  /** Of the factor that is the same for all directions, and of the other. */
  readonly fixed: number;
  readonly moving: number;
  readonly isOneHot: boolean;
}

export interface KernelSize {
  /** n, examples on a side. */
  readonly examples: number;
  /** S, directions on a side. */
  readonly directions: number;
  readonly isPreconditioned: boolean;
}

/**
 * - overlaps     one position: (fixed·fixed) ∘ (moving·moving)
 * - contraction  many positions, few of them beside the widths: never forms a gradient
 * - weighted     one position, with a preconditioner
 * - direct       per-example gradients, and their products
 */
export type Form = "overlaps" | "contraction" | "weighted" | "direct";

/** A narrow product of S × S numbers runs at about half the speed of the large ones beside it. */
const NARROW = 2;

export function formOf(size: PartSize, kernel: KernelSize): Form {
  const { positions, groups, isOneHot } = size;
  if (groups > 1) return "direct";
  // Rows of a table meet only themselves, so a preconditioner is taken into what moves.
  const isWeighted = kernel.isPreconditioned && !isOneHot;
  if (positions === 1) return isWeighted ? "weighted" : "overlaps";
  if (isWeighted) return "direct";
  return contractionWork(size, kernel) < directWork(size, kernel) ? "contraction" : "direct";
}

function contractionWork(
  { positions: t, fixed, moving, isOneHot }: PartSize,
  { examples: n, directions: s }: KernelSize,
) {
  return n * n * (t * t * (isOneHot ? 1 : fixed) + s * t * t * moving + NARROW * s * s * t * moving);
}

function directWork({ positions: t, groups, fixed, moving }: PartSize, { examples: n, directions: s }: KernelSize) {
  return n * groups * (s * t * fixed * moving + n * s * s * fixed * moving);
}

/** Multiply-adds of a part's kernel of one side with itself, halves of it that are the same counted twice. */
export function kernelWork(size: PartSize, kernel: KernelSize): number {
  const { examples: n, directions: s } = kernel;
  const { fixed, moving } = size;
  switch (formOf(size, kernel)) {
    case "overlaps":
      return n * n * (fixed + s * s * moving);
    case "weighted":
      return n * n * (fixed * moving + s * s * moving);
    case "contraction":
      return contractionWork(size, kernel);
    case "direct":
      return directWork(size, kernel);
  }
}

/** Multiply-adds of J Jᵀ from gradients that are formed already, P numbers each. */
export const gramWork = (params: number, { examples: n, directions: s }: KernelSize): number => (n * s) ** 2 * params;

/** Multiply-adds of S backward passes through a use, and of the one forward pass. */
export const passWork = (
  { positions, groups, fixed, moving }: PartSize,
  { examples, directions }: KernelSize,
): number => examples * (directions + 1) * positions * groups * fixed * moving;

/** Below so many examples or multiply-adds a product's halves are too small for their symmetry to save time. */
const LEAST_EXAMPLES = 16;
const LEAST_WORK = 1e9;

export const isWorthHalving = (examples: number, work: number): boolean =>
  examples >= LEAST_EXAMPLES && work >= LEAST_WORK;

/** Whether the squared norms of per-example gradients are cheaper from the overlaps of positions than from the gradients. */
export const normsFromOverlaps = ({ positions: t, groups, fixed, moving, isOneHot }: PartSize): boolean =>
  groups === 1 && t * ((isOneHot ? 1 : fixed) + moving) < fixed * moving;

/**
 * Into how many slices the rows of the per-example gradients are cut, so that one slice of both sides takes at most
 * `bytes`. A divisor of `rows`.
 */
export function slicesFor(rows: number, rowBytes: number, bytes: number): number {
  const most = Math.max(1, Math.floor(bytes / rowBytes));
  for (let slices = 1; slices < rows; slices++) if (rows % slices === 0 && rows / slices <= most) return slices;
  return rows;
}

/**
 * Whether the gradients of a parameter take less memory than the factors they are products of, and fit in `bytes`: they are
 * then formed one direction at a time, and the cotangents never kept.
 */
export function isSmallerFormed(
  parts: readonly PartSize[],
  params: number,
  { examples: n, directions: s }: KernelSize,
  bytes: number,
): boolean {
  const sum = (numbers: (part: PartSize) => number): number => parts.reduce((all, part) => all + numbers(part), 0);
  const moving = sum(({ positions, groups, moving }) => positions * groups * moving);
  const fixed = sum(({ positions, groups, fixed, isOneHot }) => positions * groups * (isOneHot ? 0 : fixed));
  return 4 * s * n * params <= bytes && fixed < 2 * s * (moving - params);
}
