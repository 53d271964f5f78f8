import type { Params } from "../models/model.js";
import type { ModelInputs } from "./ntk/inputs.js";
import { openPerExampleNorms } from "./ntk/norms.js";
import type { DifferentiableModel } from "./ntk/tapped-model.js";

/** Computes the mean decay of one model. Holds sessions: dispose of it. */
export interface PreconditionedDecay {
  /**
   * An L2 decay δ that an adaptive optimiser divides by D together with the gradient is δD⁻¹ in its own coordinates, another
   * number for every weight. As one number, the mean weighted by how much each weight moves the output:
   *
   *     δ · tr(J D⁻² Jᵀ) / tr(J D⁻¹ Jᵀ)
   *
   * Exact for a D that is a multiple of the identity, and to first order in δ for the trace of the kernel's response.
   *
   * @param preconditioner  D > 0.
   * @returns  0 where no weight moves the output.
   */
  mean(weightDecay: number, params: Params, inputs: ModelInputs, preconditioner: Params): Promise<number>;
  dispose(): Promise<void>;
}

export async function openPreconditionedDecay(
  model: DifferentiableModel,
  options: { readonly threads?: number; readonly memoryBudget?: number } = {},
): Promise<PreconditionedDecay> {
  const norms = await openPerExampleNorms(model, options);
  return {
    async mean(weightDecay, params, inputs, preconditioner) {
      const trace = async (divisor: Params) => {
        const each = await norms.jacobian(params, inputs, { preconditioner: divisor });
        return each.reduce((sum, norm) => sum + norm, 0);
      };
      const squares = Object.entries(preconditioner).map(([name, values]) => [name, values.map((d) => d * d)] as const);
      const whole = await trace(preconditioner);
      return whole > 0 ? (weightDecay * (await trace(Object.fromEntries(squares)))) / whole : 0;
    },
    dispose: () => norms.dispose(),
  };
}
