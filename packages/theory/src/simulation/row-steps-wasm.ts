import { BLOCK, rowKernels, setInBlocks, WORD } from "./row-kernels.js";
import { plainRowSteps, readPosition, type RowSteps, type StepDynamics } from "./row-steps.js";

/** Rows that one call may name, at least: enough that its overhead does not show. */
const ROWS = 16384;

/** `plainRowSteps` in WebAssembly where there is SIMD, with the same results to the last bit. */
export function rowSteps(kernel: Float64Array, size: number, dynamics: StepDynamics): RowSteps {
  const { momentum, nesterov, drag } = dynamics;
  // In words: four constants, a zero, z, v, K with a row of zeros below it, then the lists of one call.
  const stride = Math.ceil(size / BLOCK) * BLOCK;
  const most = Math.max(ROWS, size);
  const [constants, zero, z] = [0, 4, 6];
  const v = z + stride;
  const k = v + stride;
  const factors = k + (size + 1) * stride;
  const noiseList = factors + most;
  const rowList = noiseList + most;
  const countList = rowList + most;
  const kernels = rowKernels(countList + most);
  if (kernels === null) return plainRowSteps(kernel, size, dynamics);
  const { memory } = kernels;
  const integers = new Int32Array(memory.buffer);
  memory[constants] = momentum;
  memory[constants + 1] = -drag;
  memory[constants + 2] = 1 + momentum;
  memory[constants + 3] = -momentum;
  const blockStep = (size + 1) * BLOCK;
  for (let i = 0; i < size; i++)
    setInBlocks(memory, k + i * BLOCK, blockStep, kernel.subarray(i * size, (i + 1) * size));
  const ahead = nesterov ? momentum : 0;
  const run = ahead > 0 ? kernels.ahead : momentum !== 0 || drag !== 0 ? kernels.heavy : kernels.free;
  const residual = memory.subarray(z, z + size);

  return {
    residual,
    read: (target) => readPosition(target, residual, memory.subarray(v, v + size), ahead),
    rest: () => void memory.fill(0, v, v + stride),
    advance(rows, counts, noise) {
      let step = 0;
      let at = 0;
      while (step < counts.length) {
        const [firstStep, first] = [step, at];
        let listed = 0;
        for (; step < counts.length && step - firstStep < most; step++) {
          const count = counts[step]!;
          if (listed + Math.max(1, count) > most) break;
          integers[2 * countList + step - firstStep] = Math.max(1, count);
          for (let b = 0; b < count; b++, listed++) {
            const row = rows[at++]!;
            integers[2 * (rowList + listed)] = (k + row * BLOCK) * WORD;
            integers[2 * (rowList + listed) + 1] = (z + row) * WORD;
          }
          if (count === 0) {
            // The kernel's loops run at least once: an empty batch is one of the row of zeros.
            integers[2 * (rowList + listed)] = (k + size * BLOCK) * WORD;
            integers[2 * (rowList + listed++) + 1] = zero * WORD;
          }
        }
        const noisy = noise !== null && at > first;
        if (noisy) spread(memory, noiseList, noise, first, counts.subarray(firstStep, step));
        const [noiseAt, noiseStep] = noisy ? [noiseList, WORD] : [zero, 0];
        run(
          z * WORD,
          v * WORD,
          constants * WORD,
          rowList * WORD,
          countList * WORD,
          factors * WORD,
          noiseAt * WORD,
          noiseStep,
          step - firstStep,
          stride / BLOCK,
          blockStep * WORD,
        );
      }
    },
  };
}

/** The noise of each row in its place, with a zero for an empty batch. */
function spread(memory: Float64Array, to: number, noise: Float64Array, from: number, counts: Int32Array): void {
  let [target, source] = [to, from];
  for (const count of counts) {
    if (count === 0) memory[target++] = 0;
    for (let b = 0; b < count; b++) memory[target++] = noise[source++]!;
  }
}
