import { createRandom, multiply } from "@sedge/linalg";
import {
  exactNoiseKernel,
  expectedLoss,
  linearSystem,
  randomQuadraticModel,
  simulateLinearSgd,
  simulateQuadraticModel,
} from "@sedge/theory";
import type { Workload } from "../workload.js";

const outputs = 10;
const params = 5000;

/** K exact of an NTK, eigenproblem included: B = 1, η = 0.2/λ_max, to 1e-6, as the peers. */
export function exactKernel(examples: number): Workload {
  return {
    async prepare() {
      const size = examples * outputs;
      const ntk = gaussianKernel(size, params, examples);
      // The learning rate needs λ_max, which the timed call finds again.
      const learningRate = 0.2 / linearSystem({ ntk, examples, outputs }).lambdaMax;
      return {
        per: 1,
        run: () =>
          exactNoiseKernel(
            linearSystem({ ntk, examples, outputs }),
            { learningRate, batchSize: 1, sampling: "bernoulli" },
            { tolerance: 1e-6 },
          ).value,
      };
    },
  };
}

/** 1000 steps of the second-moment recursion, D = 100, P = 120, B = 5, η = 4. */
export const secondMoment: Workload = {
  async prepare() {
    const examples = 100;
    const ntk = gaussianKernel(examples, 120, examples * 120);
    // J has variance 1/P and Θ = J Jᵀ/N: the 1/(N P) above.
    const residual = normals("bench/residual", examples);
    const settings = { learningRate: 4, batchSize: 5, sampling: "without-replacement" } as const;
    return {
      per: 1,
      run: () => Math.log10(expectedLoss(linearSystem({ ntk, examples, outputs: 1 }), residual, settings, 1000)[1000]!),
    };
  },
};

/** 100 seeds × 10⁴ steps of linear SGD, D = 100, P = 120, B = 5, η = 4. */
export const linearSgd: Workload = {
  async prepare() {
    const jacobian = normals("bench/linear", 100 * 120).map((x) => x / Math.sqrt(120));
    const system = linearSystem({ jacobian, examples: 100 });
    const residual = normals("bench/residual", 100);
    const settings = { learningRate: 4, batchSize: 5 } as const;
    const options = { steps: 10_000, seed: 0, seeds: 100, recordAt: [10_000] };
    return {
      per: 1,
      run: () =>
        simulateLinearSgd(system, residual, settings, options).losses.reduce((sum, x) => sum + Math.log10(x), 0) / 100,
    };
  },
};

/** 100 seeds × 200 steps of one quadratic model, D = 100, P = 120, B = 5, η = 4. The peers do not track λ_max here. */
export const quadraticModel: Workload = {
  async prepare() {
    const jacobian = normals("bench/linear", 100 * 120).map((x) => x / Math.sqrt(120));
    const model = randomQuadraticModel({
      examples: 100,
      params: 120,
      curvature: 0.002,
      jacobian,
      residual: normals("bench/residual", 100),
      seed: 0,
    });
    const options = { steps: 200, seed: 0, seeds: 100, recordAt: [200], trackLambdaMax: false };
    return {
      per: 1,
      run: () => simulateQuadraticModel(model, { learningRate: 4, batchSize: 5 }, options).meanLoss[0]!,
    };
  },
};

/** J Jᵀ/divisor for J [rows, columns] with standard normal entries. */
function gaussianKernel(rows: number, columns: number, divisor: number): Float64Array {
  const jacobian = normals(`bench/jacobian/${rows}`, rows * columns);
  const product = multiply(jacobian, jacobian, { rows, inner: columns, columns: rows, transposeB: true });
  return product.map((x) => x / divisor);
}

function normals(seed: string, size: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: size }, () => random.normal());
}
