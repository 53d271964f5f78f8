/** How much memory a graph takes, and blocks that keep a kernel within a budget. */
import type { Body, Graph, Node, Value } from "@sedge/autodiff";

/** 2 GiB. */
export const DEFAULT_MEMORY_BUDGET = 2 ** 31;

const elementBytes: Readonly<Record<string, number>> = {
  float32: 4,
  float64: 8,
  int64: 8,
  int32: 4,
  bool: 1,
  float16: 2,
};

/**
 * Bytes of all values that a graph computes, as if none were ever freed: an upper bound. What a loop collects counts twice,
 * as the engine holds the pieces until it has joined them.
 *
 * @param examples  What every free size stands for.
 */
export function graphBytes({ outputs }: Graph, examples: number): number {
  const seen = new Set<Node>();
  const open: Value[] = [...Object.values(outputs)];
  let bytes = 0;
  const enter = ({ outputs: inner }: Body): void => void open.push(...inner);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value.origin.kind !== "node" || seen.has(value.origin.node)) continue;
    const { node } = value.origin;
    seen.add(node);
    for (const output of node.outputs) bytes += (node.body ? 2 : 1) * bytesOf(output, examples);
    for (const input of node.inputs) if (input) open.push(input);
    if (node.body) enter(node.body);
  }
  return bytes;
}

/** Bytes of one value, every free size being `examples`. */
export const bytesOf = ({ type, shape }: Value, examples: number): number =>
  shape.reduce<number>(
    (all, dim) => all * (typeof dim === "number" ? dim : sizeAt(dim, examples)),
    elementBytes[type] ?? 8,
  );

/** A symbolic size, a sum of products of numbers and symbols, with every symbol equal to `examples`. */
function sizeAt(dim: string, examples: number): number {
  const terms = dim
    .split("+")
    .map((term) =>
      term.split("*").reduce((all, factor) => all * (/^-?\d+$/.test(factor) ? Number(factor) : examples), 1),
    );
  return terms.reduce((sum, term) => sum + term, 0);
}

export interface BlockSize {
  readonly examples: number;
  readonly directions: number;
}

/**
 * The largest blocks of examples and directions, found by halving, that take at most `budget` bytes; null if not even one
 * example with one direction does.
 *
 * @param bytesFor  Bytes of a block, or of a pair of blocks where there is more than one.
 */
export function blocksWithin(
  budget: number,
  whole: BlockSize,
  bytesFor: (block: BlockSize, isWhole: boolean) => number,
): BlockSize | null {
  let { examples, directions } = whole;
  for (;;) {
    const isWhole = examples === whole.examples && directions === whole.directions;
    if (bytesFor({ examples, directions }, isWhole) <= budget) return { examples, directions };
    if (examples === 1 && directions === 1) return null;
    if (directions > examples) directions = Math.ceil(directions / 2);
    else examples = Math.ceil(examples / 2);
  }
}

/** Places 0 … count − 1 in blocks of at most `size`, as even as can be. */
export function evenBlocks(count: number, size: number): { readonly first: number; readonly count: number }[] {
  const blocks = Math.ceil(count / size);
  return Array.from({ length: blocks }, (_, k) => {
    const first = Math.floor((k * count) / blocks);
    return { first, count: Math.floor(((k + 1) * count) / blocks) - first };
  });
}
