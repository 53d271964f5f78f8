import { compile, hessianVectorProduct, type Graph } from "@sedge/autodiff";
import { blocksOf } from "../data/blocks.js";
import type { Split } from "../data/dataset.js";
import { breathe } from "../event-loop.js";
import { sizeOf, type Params, type ParamSpec } from "../models/model.js";

/** The Hessian of an objective, as an operator on vectors of all parameters. Holds a session: dispose of it. */
export interface HessianOperator {
  /** P. */
  readonly size: number;
  /**
   * H v of the mean loss over a whole split: computed in float32, block by block, and added up in float64.
   *
   * @param vector  [P], parameters in the order of their specs.
   * @returns       [P], in memory that the next call overwrites.
   */
  product(params: Params, split: Split, vector: Float64Array): Promise<Float64Array>;
  dispose(): Promise<void>;
}

export interface HessianOptions {
  readonly threads?: number;
  /** Examples in one call: bounds the memory of a product. Default 1024. */
  readonly blockExamples?: number;
}

/**
 * ReLU networks: their Hessian does not see the kinks, so λ_max is that of the smooth pieces.
 *
 * @param objective  With inputs `x`, `y` and the parameters, and the scalar output `loss`, a mean over examples.
 */
export async function openHessian(
  objective: Graph,
  specs: readonly ParamSpec[],
  { threads = 1, blockExamples = 1024 }: HessianOptions = {},
): Promise<HessianOperator> {
  const wrt = specs.map(({ name }) => name);
  const session = await compile(hessianVectorProduct(objective, { of: "loss", wrt, vectors: "flat" }), { threads });
  const size = specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const single = new Float32Array(size);
  const total = new Float64Array(size); // fresh pages for every product would cost a tenth of it
  return {
    size,
    async product(params, split, vector) {
      single.set(vector);
      total.fill(0);
      for (const { inputs: x, targets: y, weight } of blocksOf(split, blockExamples)) {
        await breathe();
        const { product } = await session.run({ ...params, x, y, vector: single }, { outputs: ["product"] });
        const part = product!.data as Float32Array;
        for (let i = 0; i < size; i++) total[i]! += weight * part[i]!;
      }
      return total;
    },
    dispose: () => session.dispose(),
  };
}
