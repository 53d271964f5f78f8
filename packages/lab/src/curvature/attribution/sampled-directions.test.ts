import { createRandom } from "@sedge/linalg";
import { expect, test } from "vitest";
import { outputHessianRoots } from "../../objectives/objective.js";
import { sampledDirections } from "./sampled-directions.js";

// Truth: H from its closed-form root. Entries of r rᵀ are bounded by 1 in size, so a mean over 20,000 draws has a standard
// error below 1/√20000 = 0.007; 0.03 is more than four of them, for each of 2 × 9 entries.
test.each(["squared", "mean-squared", "cross-entropy"] as const)("%s: E[r rᵀ] is the output Hessian", (loss) => {
  const [outputs, samples] = [3, 20_000];
  const output = [0.3, -1, 2, 0, 0.5, 0.1];
  const random = createRandom(4);
  const directions = sampledDirections({ loss, output, outputs, classes: outputs, samples, random });
  const roots =
    outputHessianRoots(loss, output, outputs) ??
    Float64Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1]);
  for (let i = 0; i < 2; i++) {
    for (let a = 0; a < outputs; a++) {
      for (let c = 0; c < outputs; c++) {
        let mean = 0;
        for (let s = 0; s < samples; s++) {
          const row = (s * 2 + i) * outputs;
          mean += directions[row + a]! * directions[row + c]!;
        }
        let hessian = 0;
        for (let k = 0; k < outputs; k++)
          hessian += roots[(i * outputs + a) * outputs + k]! * roots[(i * outputs + k) * outputs + c]!;
        expect(Math.abs(mean - hessian)).toBeLessThan(0.03);
      }
    }
  }
});
