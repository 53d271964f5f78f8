import type { Random } from "@sedge/linalg";
import { BLOCK, rowKernels, WORD } from "./row-kernels.js";
import { plainRowSteps, readPosition, type RowSteps, type StepDynamics } from "./row-steps.js";

/** Rows that one call may name, at least: enough that its overhead does not show. */
const ROWS = 16384;

/** Row steps that also draw their batches. */
export interface DrawingRowSteps extends RowSteps {
  /**
   * The steps of a stream of batches, each called with how many: what `advance` with the rows drawn by `batches` does, to the last
   * bit, without going through JavaScript. Ends with the next call of it.
   *
   * @param outputs rows of an example
   */
  readonly drawing: (
    sampling: "with-replacement" | "without-replacement",
    batchSize: number,
    outputs: number,
    rng: Random,
  ) => (steps: number) => void;
}

/** `plainRowSteps` in WebAssembly where there is SIMD, with the same results to the last bit. */
export function rowSteps(kernel: Float64Array, size: number, dynamics: StepDynamics): RowSteps | DrawingRowSteps {
  const { momentum, nesterov, drag } = dynamics;
  // In words: four constants, a zero, z, v, K, then the lists of one call, and the state of a stream of batches.
  const stride = Math.ceil(size / BLOCK) * BLOCK;
  const most = Math.max(ROWS, size);
  const [constants, zero, z] = [0, 4, 6];
  const v = z + stride;
  const k = v + stride;
  const factors = k + size * stride;
  const noiseList = factors + most;
  const rowList = noiseList + most;
  const countList = rowList + most;
  const stream = countList + most;
  const seen = stream + 3;
  const kernels = rowKernels(seen + size);
  if (kernels === null) return plainRowSteps(kernel, size, dynamics);
  const { memory } = kernels;
  const integers = new Int32Array(memory.buffer);
  memory[constants] = momentum;
  memory[constants + 1] = -drag;
  memory[constants + 2] = 1 + momentum;
  memory[constants + 3] = -momentum;
  for (let i = 0; i < size; i++) memory.set(kernel.subarray(i * size, (i + 1) * size), k + i * stride);
  const ahead = nesterov ? momentum : 0;
  const kind = ahead > 0 ? kernels.ahead : momentum !== 0 || drag !== 0 ? kernels.heavy : kernels.free;
  const run = (noisy: boolean, steps: number): void => {
    const [noiseAt, noiseStep] = noisy ? [noiseList, WORD] : [zero, 0];
    kind(
      ...[z * WORD, v * WORD, constants * WORD, z * WORD, k * WORD, stride * WORD],
      ...[rowList * WORD, countList * WORD, factors * WORD, noiseAt * WORD, noiseStep, steps, stride / BLOCK],
    );
  };

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
        for (; step < counts.length && step - firstStep < most; step++) {
          if (at + counts[step]! - first > most) break;
          at += counts[step]!;
        }
        integers.set(rows.subarray(first, at), 2 * rowList);
        integers.set(counts.subarray(firstStep, step), 2 * countList);
        if (noise !== null) memory.set(noise.subarray(first, at), noiseList);
        run(noise !== null, step - firstStep);
      }
    },
    drawing(sampling, batchSize, outputs, rng) {
      const draw = sampling === "with-replacement" ? kernels.drawWith : kernels.drawWithout;
      integers.set([...rng.state().words, 0], 2 * stream);
      integers.fill(-1, 2 * seen, 2 * (seen + size));
      const atOnce = Math.floor(most / (batchSize * outputs));
      return (steps) => {
        integers.fill(batchSize * outputs, 2 * countList, 2 * countList + Math.min(steps, atOnce));
        for (let left = steps; left > 0; left -= atOnce) {
          const count = Math.min(left, atOnce);
          draw(stream * WORD, seen * WORD, rowList * WORD, size / outputs, batchSize, outputs, count);
          run(false, count);
        }
      };
    },
  };
}
