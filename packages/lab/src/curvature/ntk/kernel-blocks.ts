/** The kernel of a model on its examples and directions, block by block, added to what is there already. */
import { compile, type Session, type Tensor } from "@sedge/autodiff";
import { breathe } from "../../event-loop.js";
import { BadInput } from "../../errors.js";
import { sizeOf } from "../../models/model.js";
import { blockOf } from "./inputs.js";
import { kernelGraph, type KernelGraphOptions } from "./kernel-graph.js";
import { placeBlock, type KernelBlock } from "./kernel-matrix.js";
import { evenBlocks, type BlockSize } from "./memory.js";
import type { TappedModel } from "./tapped-model.js";

/** Kernels [n·S, n·S] by the names of a kernel graph's outputs. */
export interface KernelSums {
  /** n and S of the whole. */
  readonly examples: number;
  readonly directions: number;
  readonly matrices: Map<string, Float64Array>;
  /** Used for the first of them, all zeros. */
  readonly into?: Float64Array | undefined;
}

export interface KernelJob {
  readonly tapped: TappedModel;
  /** Data inputs, [n, …]. */
  readonly data: Readonly<Record<string, Tensor>>;
  /** Numbers in one example's output. */
  readonly outputs: number;
  /** [S, n, outputs]; null for every output by itself. */
  readonly rows: Float32Array | null;
  readonly block: BlockSize;
  readonly kind: Pick<KernelGraphOptions, "isPreconditioned" | "areApart" | "sliceBytes" | "pullTo">;
  /** Parameters, and roots of the preconditioner. */
  readonly feeds: Readonly<Record<string, Tensor>>;
}

export interface JobResult {
  /** [n, outputs]. */
  readonly output: Float32Array;
  /** The rows pulled back to `pullTo`, [S, n, …]; null without it. */
  readonly pulled: Float32Array | null;
}

/** Sessions of kernel graphs, kept for the next time. */
export class KernelSessions {
  private readonly open = new Map<string, Promise<Session>>();

  constructor(private readonly threads: number) {}

  for(tapped: TappedModel, options: KernelGraphOptions): Promise<Session> {
    const sizes = tapped.data.map((name) => tapped.graph.inputs[name]!.shape);
    const key = JSON.stringify([tapped.graph.name, sizes, options]);
    let session = this.open.get(key);
    if (session === undefined) {
      session = compile(kernelGraph(tapped, options), { threads: this.threads });
      this.open.set(key, session);
    }
    return session;
  }

  /** Frees them all. What they took for a run, they keep until then. */
  async dispose(): Promise<void> {
    const sessions = [...this.open.values()];
    this.open.clear();
    await Promise.all(sessions.map(async (session) => (await session).dispose()));
  }
}

interface Side extends KernelBlock {
  readonly tensors: Record<string, Tensor>;
}

/** Pairs of blocks that a job is made of. */
export function pairsOf({ examples, directions }: BlockSize, block: BlockSize): number {
  const sides = evenBlocks(examples, block.examples).length * evenBlocks(directions, block.directions).length;
  return (sides * (sides + 1)) / 2;
}

/**
 * Adds a model's kernels to the sums.
 *
 * @param onPair  Called before each pair of blocks; may throw to stop.
 */
export async function addKernels(
  job: KernelJob,
  sums: KernelSums,
  sessions: KernelSessions,
  onPair: () => void,
): Promise<JobResult> {
  const { tapped, outputs, block, kind, feeds } = job;
  const { examples, directions } = sums;
  const output = new Float32Array(examples * outputs);
  let pulled: Float32Array | null = null;
  const sides = evenBlocks(examples, block.examples).flatMap((some) =>
    evenBlocks(directions, block.directions).map((rows): Side => {
      const side = {
        firstExample: some.first,
        examples: some.count,
        firstDirection: rows.first,
        directions: rows.count,
      };
      return { ...side, tensors: tensorsOf(job, side, examples) };
    }),
  );
  for (const [p, left] of sides.entries()) {
    for (const right of sides.slice(p)) {
      await breathe();
      onPair();
      const isDiagonal = left === right;
      const session = await sessions.for(tapped, {
        ...kind,
        pullTo: isDiagonal ? (kind.pullTo ?? null) : null,
        examples: isDiagonal ? left.examples : block.examples,
        directions: [left.directions, right.directions],
        isDiagonal,
      });
      const result = await session.run({
        ...feeds,
        ...withPrefix("left", left.tensors),
        ...withPrefix("right", right.tensors),
      });
      for (const [name, { data }] of Object.entries(result)) {
        if (name === "output") {
          if (isDiagonal) output.set(data as Float32Array, left.firstExample * outputs);
        } else if (name === "pulled") {
          const width = data.length / (left.examples * left.directions);
          pulled ??= new Float32Array(directions * examples * width);
          placeRows(pulled, data as Float32Array, left, examples, width);
        } else {
          placeBlock(matrixOf(sums, name), { examples, directions }, data as Float32Array, left, right);
        }
      }
    }
  }
  return { output, pulled };
}

function matrixOf({ matrices, examples, directions, into }: KernelSums, name: string): Float64Array {
  let matrix = matrices.get(name);
  if (matrix === undefined) {
    matrix = matrices.size === 0 && into ? into : new Float64Array((examples * directions) ** 2);
    matrices.set(name, matrix);
  }
  return matrix;
}

/** Rows of a block [S', n', width] to their places in [S, n, width]. */
function placeRows(to: Float32Array, block: Float32Array, side: KernelBlock, examples: number, width: number): void {
  for (let s = 0; s < side.directions; s++) {
    const from = s * side.examples * width;
    const start = ((side.firstDirection + s) * examples + side.firstExample) * width;
    to.set(block.subarray(from, from + side.examples * width), start);
  }
}

function tensorsOf(
  { tapped: { graph }, data, outputs, rows }: KernelJob,
  side: KernelBlock,
  examples: number,
): Record<string, Tensor> {
  const { shape, type } = graph.outputs["output"]!;
  const width = side.examples * outputs;
  const values =
    type === "float64" ? new Float64Array(side.directions * width) : new Float32Array(side.directions * width);
  for (let s = 0; s < side.directions; s++) {
    const direction = side.firstDirection + s;
    const start = (direction * examples + side.firstExample) * outputs;
    if (rows) values.set(rows.subarray(start, start + width), s * width);
    else for (let i = 0; i < side.examples; i++) values[s * width + i * outputs + direction] = 1;
  }
  const own = [side.directions, side.examples, ...shape.slice(1).map(Number)];
  if (sizeOf(own) !== values.length) {
    throw new BadInput(
      `ntk: expected ${outputs} outputs for each example, got an output of shape [${shape.join(", ")}].`,
    );
  }
  return { ...blockOf(data, side.firstExample, side.examples), directions: { data: values, shape: own, type } };
}

const withPrefix = (prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, value]) => [`${prefix}/${name}`, value]));
