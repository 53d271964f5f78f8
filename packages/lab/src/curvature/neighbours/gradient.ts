import { compile, scalarOf, vjp, type Graph } from "@sedge/autodiff";
import { blocksOf } from "../../data/blocks.js";
import type { Split } from "../../data/dataset.js";
import { breathe } from "../../event-loop.js";
import { sizeOf, type Params, type ParamSpec } from "../../models/model.js";

export interface Gradient {
  readonly loss: number;
  /** ∇L, [P], parameters in the order of their specs. */
  readonly gradient: Float64Array;
}

/** Gradients over whole splits. Holds a session: dispose of it. */
export interface GradientEstimator {
  /** Of the mean loss: float32 block by block, added up in float64. */
  measure(params: Params, split: Split, options?: { readonly signal?: AbortSignal | undefined }): Promise<Gradient>;
  dispose(): Promise<void>;
}

/** @param objective  With inputs `x`, `y` and the parameters, and the scalar output `loss`, a mean over examples. */
export async function openGradient(
  objective: Graph,
  specs: readonly ParamSpec[],
  { threads = 1, blockExamples = 1024 }: { readonly threads?: number; readonly blockExamples?: number } = {},
): Promise<GradientEstimator> {
  const wrt = specs.map(({ name }) => name);
  const session = await compile(vjp(objective, { of: "loss", wrt }), { threads });
  const outputs = ["loss", ...wrt.map((name) => `gradient/${name}`)];
  const size = specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return {
    async measure(params, split, { signal } = {}) {
      const gradient = new Float64Array(size);
      let loss = 0;
      for (const { inputs: x, targets: y, weight } of blocksOf(split, blockExamples)) {
        await breathe();
        signal?.throwIfAborted();
        const results = await session.run({ ...params, x, y }, { outputs });
        loss += weight * scalarOf(results["loss"]!);
        let offset = 0;
        for (const name of wrt) {
          const part = results[`gradient/${name}`]!.data as Float32Array;
          for (let i = 0; i < part.length; i++) gradient[offset + i]! += weight * part[i]!;
          offset += part.length;
        }
      }
      return { loss, gradient };
    },
    dispose: () => session.dispose(),
  };
}
