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
 * The most bytes that a graph's values take at one time, if nodes run in the order in which they were made and a value is
 * freed after its last use. What a loop collects counts twice, as the engine holds the pieces until it has joined them; another
 * shape of the same numbers shares their memory.
 *
 * @param examples  What every free size stands for.
 */
export const graphBytes = ({ outputs }: Graph, examples: number): number => peakBytes(Object.values(outputs), examples);

function peakBytes(results: readonly Value[], examples: number): number {
  const nodes = nodesOf(results);
  const lastUse = new Map<Value, number>(results.map((value) => [owner(value), nodes.length]));
  nodes.forEach((node, at) =>
    readsOf(node).forEach((value) => lastUse.set(owner(value), Math.max(lastUse.get(owner(value)) ?? 0, at))),
  );
  const freed = nodes.map(() => 0);
  let live = 0;
  let peak = 0;
  nodes.forEach((node, at) => {
    const made = node.outputs
      .filter((value) => owner(value) === value)
      .map((value) => [value, bytesOf(value, examples)] as const);
    const own = made.reduce((sum, [, bytes]) => sum + bytes, 0);
    live += own;
    peak = Math.max(peak, live + (node.body ? own + peakBytes(node.body.outputs, examples) : 0));
    for (const [value, bytes] of made) {
      const until = lastUse.get(value) ?? at;
      if (until < nodes.length) freed[until]! += bytes;
    }
    live -= freed[at]!;
  });
  return peak;
}

const views = new Set(["Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"]);

/** The value whose memory this one shares. */
function owner(value: Value): Value {
  const { origin } = value;
  return origin.kind === "node" && views.has(origin.node.op) ? owner(origin.node.inputs[0]!) : value;
}

/** The nodes that values need, in the order in which they were made; of a loop's body, those it may share with outside too. */
export function nodesOf(results: readonly Value[]): Node[] {
  const seen = new Set<Node>();
  const open = [...results];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value.origin.kind !== "node" || seen.has(value.origin.node)) continue;
    seen.add(value.origin.node);
    open.push(...readsOf(value.origin.node));
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** A node's inputs, and for a loop what its body's nodes read. */
export function readsOf({ inputs, body }: Node): Value[] {
  const own = inputs.filter((value) => value !== null);
  return body ? [...own, ...body.outputs.filter(isComputed), ...nodesInside(body).flatMap(readsOf)] : own;
}

const isComputed = (value: Value): boolean => value.origin.kind === "node";

const insides = new WeakMap<Body, Node[]>();

function nodesInside(body: Body): Node[] {
  let found = insides.get(body);
  if (found === undefined) insides.set(body, (found = nodesOf(body.outputs)));
  return found;
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
