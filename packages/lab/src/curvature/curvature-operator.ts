import {
  compile,
  gaussNewtonVectorProduct,
  hessianVectorProduct,
  stages,
  type Graph,
  type Session,
  type Tensor,
} from "@sedge/autodiff";
import { blocksOf, type Block } from "../data/blocks.js";
import type { Split } from "../data/dataset.js";
import { BadInput } from "../errors.js";
import { breathe } from "../event-loop.js";
import { sizeOf, type Params, type ParamSpec } from "../models/model.js";
import { bytesOf, graphBytes } from "./ntk/memory.js";

/** A symmetric matrix that is known by its products with vectors. */
export interface SymmetricOperator {
  /** P, its dimension. */
  readonly size: number;
  /**
   * A x.
   *
   * @param x  [P].
   * @returns  [P], in memory that the next call overwrites.
   */
  apply(x: Float64Array): Promise<Float64Array>;
}

export type CurvatureMatrix = "hessian" | "gaussNewton";

export interface CurvatureOptions {
  /** Default "hessian". The Gauss–Newton matrix is Jᵀ H_ℓ J / N, H_ℓ the loss's Hessian in the outputs. */
  readonly matrix?: CurvatureMatrix;
  readonly threads?: number;
  /**
   * Bytes that the values of one product may take, vectors of all parameters and the data set not counted. A whole set is
   * worked through in blocks of as many examples as fit. Default 1 GiB.
   */
  readonly memoryBudget?: number;
  /** Examples of one block, at most, whatever the memory. Default 1024. */
  readonly blockExamples?: number;
}

/** How a product over a split is cut up. */
export interface ProductPlan {
  /** Examples of the largest block. */
  readonly examples: number;
  readonly blocks: number;
  /** Bytes of all that is computed for one block, none of it freed: an upper bound. */
  readonly bytes: number;
  /** Whether what does not depend on the vector is kept from product to product: it saves two fifths of each. */
  readonly kept: boolean;
}

/** The Hessian or Gauss–Newton matrix of an objective, for any parameters and data. Holds sessions: dispose of it. */
export interface CurvatureOperator {
  readonly matrix: CurvatureMatrix;
  /** P. */
  readonly size: number;
  /** @throws BadInput if the memory budget is too small for one example. */
  plan(split: Pick<Split, "examples">): ProductPlan;
  /**
   * The matrix of the mean loss over a split, for many products: forward and backward pass are made once, if they can be
   * kept. Products are float32, block by block, and added up in float64.
   *
   * @throws BadInput if a parameter is not finite, or memory is too small.
   */
  at(params: Params, split: Split): Promise<SymmetricOperator>;
  /** One product: `at(params, split)` for a single vector. The result is in memory that the next call overwrites. */
  product(params: Params, split: Split, vector: Float64Array): Promise<Float64Array>;
  dispose(): Promise<void>;
}

/** `openCurvature` for the Hessian. */
export function openHessian(
  objective: Graph,
  specs: readonly ParamSpec[],
  options: Omit<CurvatureOptions, "matrix"> = {},
): Promise<CurvatureOperator> {
  return openCurvature(objective, specs, { ...options, matrix: "hessian" });
}

/**
 * ReLU networks: their Hessian does not see the kinks, so λ_max is that of the smooth pieces.
 *
 * @param objective  With inputs `x`, `y` and the parameters, and the scalar output `loss`, a mean over examples; for the
 *                   Gauss–Newton matrix also `output`.
 * @throws BadInput if the memory budget or the block size is not positive.
 */
export async function openCurvature(
  objective: Graph,
  specs: readonly ParamSpec[],
  { matrix = "hessian", threads = 1, memoryBudget = 2 ** 30, blockExamples = 1024 }: CurvatureOptions = {},
): Promise<CurvatureOperator> {
  requirePositive("memoryBudget", memoryBudget);
  requirePositive("blockExamples", blockExamples);
  const wrt = specs.map(({ name }) => name);
  const options = { of: "loss", wrt, vectors: "flat" } as const;
  const product =
    matrix === "hessian"
      ? hessianVectorProduct(objective, options)
      : gaussNewtonVectorProduct(objective, { ...options, output: "output" });
  const { once, each } = stages(product, { varying: ["vector"] });
  const keptNames = Object.keys(once.outputs).filter((name) => name.startsWith("kept/"));
  const [first, second] = await Promise.all([compile(once, { threads }), compile(each, { threads })]);
  const size = specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const single = new Float32Array(size);
  const total = new Float64Array(size); // fresh pages for every product would cost a tenth of it

  const workBytes = (examples: number) => graphBytes(once, examples) + graphBytes(each, examples);
  /** What is handed from one stage to the other. */
  const keptBytes = (examples: number) =>
    keptNames.reduce((sum, name) => sum + bytesOf(once.outputs[name]!, examples), 0);

  function plan({ examples: all }: Pick<Split, "examples">): ProductPlan {
    let examples = Math.min(all, blockExamples);
    while (examples > 1 && workBytes(examples) > memoryBudget) examples = Math.ceil(examples / 2);
    const bytes = workBytes(examples);
    if (bytes > memoryBudget) {
      throw new BadInput(
        `curvature: memoryBudget: a product over one example takes ${bytes} bytes, the budget is ${memoryBudget}.`,
      );
    }
    return {
      examples,
      blocks: Math.ceil(all / examples),
      bytes,
      kept: keptBytes(all) + bytes <= memoryBudget,
    };
  }

  async function at(params: Params, split: Split): Promise<SymmetricOperator> {
    for (const { name } of specs) {
      if (!params[name]!.every(Number.isFinite)) {
        throw new BadInput(
          `curvature: params: "${name}" holds a value that is not finite; the curvature there is undefined.`,
        );
      }
    }
    const { examples, kept } = plan(split);
    const blocks = blocksOf(split, examples);
    const prepare = async ({ inputs: x, targets: y }: Block): Promise<Record<string, Tensor>> =>
      keptNames.length === 0 ? {} : first.run({ ...params, x, y }, { outputs: keptNames });
    const prepared: Record<string, Tensor>[] = [];
    if (kept) {
      for (const block of blocks) {
        await breathe();
        prepared.push(await prepare(block));
      }
    }
    return {
      size,
      async apply(vector) {
        single.set(vector);
        total.fill(0);
        for (const [i, block] of blocks.entries()) {
          await breathe();
          const feeds = { ...params, x: block.inputs, y: block.targets, vector: single };
          const before = prepared[i] ?? (await prepare(block));
          addScaled(total, block.weight, await productOf(second, { ...feeds, ...before }));
        }
        return total;
      },
    };
  }

  return {
    matrix,
    size,
    plan,
    at,
    product: async (params, split, vector) => (await at(params, split)).apply(vector),
    async dispose() {
      await Promise.all([first.dispose(), second.dispose()]);
    },
  };
}

async function productOf(session: Session, feeds: Parameters<Session["run"]>[0]): Promise<Float32Array> {
  // A stage reads only some of the inputs of the whole.
  const { product } = await session.run(feeds, { outputs: ["product"] });
  return product!.data as Float32Array;
}

function addScaled(target: Float64Array, factor: number, x: Float32Array): void {
  for (let i = 0; i < x.length; i++) target[i]! += factor * x[i]!;
}

function requirePositive(name: string, value: number): void {
  if (!(value > 0)) throw new BadInput(`curvature: ${name}: expected a number above 0, got ${value}.`);
}

/** A symmetric matrix that is stored, row-major [size, size]: for checks, and for problems that are small. */
export function denseOperator(matrix: Float64Array, size: number): SymmetricOperator {
  const product = new Float64Array(size);
  return {
    size,
    apply(x) {
      for (let i = 0; i < size; i++) {
        let sum = 0;
        for (let j = 0; j < size; j++) sum += matrix[i * size + j]! * x[j]!;
        product[i] = sum;
      }
      return Promise.resolve(product);
    },
  };
}
