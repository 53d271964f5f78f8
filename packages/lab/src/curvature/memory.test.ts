import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

// The child runs what is built: `npx tsc -b packages/lab` comes before this test.
const lab = new URL("../../dist/index.js", import.meta.url).href;
const linalg = new URL("../../../linalg/dist/index.js", import.meta.url).href;

/** The process's peak over what it held before the measurement, in MiB. */
function peak(budget: number, work: string): number {
  const program = `
    import { cnn, objective, openHessian, openNtk, sharpness } from ${JSON.stringify(lab)};
    import { createRandom } from ${JSON.stringify(linalg)};
    const model = cnn({ inputShape: [32, 32, 3], outputs: 10 });
    const params = model.initialise(createRandom(0));
    const examples = 64;
    const inputs = Float32Array.from(createRandom(1).normals(examples * 3072));
    const targets = Float32Array.from({ length: examples * 10 }, (_, k) => Number(k % 10 === 0));
    const memoryBudget = ${budget} * 2 ** 20;
    // The engine's own code and buffers are there before anything is measured.
    const first = await openNtk(model, { memoryBudget: 2 ** 28 });
    await first.measure(params, inputs.subarray(0, 3072));
    await first.dispose();
    const before = process.resourceUsage().maxRSS;
    ${work}
    process.stdout.write(String((process.resourceUsage().maxRSS - before) / 1024));
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    encoding: "utf8",
  });
  return Number(output);
}

const kernel = `
  const estimator = await openNtk(model, { memoryBudget });
  await estimator.measure(params, inputs);
`;
const lambda = `
  const hessian = await openHessian(objective(model, "cross-entropy"), model.params, { memoryBudget });
  await sharpness(hessian, params, { examples, inputs, targets }, { random: createRandom(2), maxIterations: 4 });
`;

// The budget is for what a measurement computes. Beside it stand the engine's copy of inputs and results, its arena's
// rounding up to the next power of two of each piece, and the garbage collector's slack: half of the budget and 64 MiB.
test.each([
  ["NTK", kernel],
  ["λ_max", lambda],
])("%s stays within a small memory budget, measured by the process's peak", (_, work) => {
  const [small, large] = [96, 2048];
  const within = peak(small, work);
  expect(within).toBeLessThan(1.5 * small + 64);
  // And the budget is what holds it: without one it takes more.
  expect(peak(large, work)).toBeGreaterThan(within);
});
