import { openHessian, topEigenpairs } from "@sedge/lab";
import { createRandom } from "@sedge/linalg";
import { mlpGraph, mlpProblem } from "../data.js";
import type { Workload } from "../workload.js";

/** λ_max of the Hessian over 1000 examples, from a random start to a bound of 1e-3 on the value's relative error, as the peers. */
export const lambdaMaxMlp: Workload = {
  async prepare() {
    const { x, y, params } = mlpProblem();
    const specs = Object.entries(mlpGraph().inputs)
      .filter(([name]) => name in params)
      .map(([name, { shape }]) => ({ name, shape: shape as readonly number[] }));
    const hessian = await openHessian(mlpGraph(), specs, { threads: 2 });
    const split = { examples: 1000, inputs: x, targets: y };
    return {
      per: 1,
      async run() {
        const operator = await hessian.at(params, split);
        const random = createRandom("bench/lambda-max");
        const { values } = await topEigenpairs(operator, { random, tolerance: 1e-3, stop: "value", maxProducts: 40 });
        return values[0]!;
      },
      dispose: () => hessian.dispose(),
    };
  },
};
