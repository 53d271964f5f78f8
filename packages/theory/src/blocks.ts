/** Block-diagonal covariances, [N, C, C]. */

/** The symmetric part of each block. */
export function symmetrise(
  target: Float64Array | Float32Array,
  blocks: Float64Array,
  examples: number,
  outputs: number,
): void {
  for (let i = 0; i < examples; i++) {
    for (let a = 0; a < outputs; a++) {
      for (let b = 0; b < outputs; b++) {
        const row = i * outputs;
        target[(row + a) * outputs + b] = 0.5 * (blocks[(row + a) * outputs + b]! + blocks[(row + b) * outputs + a]!);
      }
    }
  }
}

/** The trace of each block, [N]. */
export function blockTraces(blocks: Float64Array, examples: number, outputs: number): Float64Array {
  const traces = new Float64Array(examples);
  for (let i = 0; i < examples; i++) {
    for (let a = 0; a < outputs; a++) traces[i]! += blocks[(i * outputs + a) * outputs + a]!;
  }
  return traces;
}
