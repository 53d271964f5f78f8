/** What every step of linear SGD does to one residual: adds to it the rows of the step kernel that the batch names. */
export interface RowSteps {
  /** z, [size], or with Nesterov's momentum the look-ahead w = z + m v. To be set at rest, where they are the same. */
  readonly residual: Float64Array;
  /** z, [size], into `target`. */
  readonly read: (target: Float64Array) => void;
  /**
   * One step for each entry of `counts`, of that many of the `rows`, in turn:
   *
   *     v ← m v − (ηδ) z + Σ_b (z[row_b] + noise_b) K[row_b],   z ← z + v
   *
   * every z on the right being the one before the step. Without momentum and weight decay v is not kept. With Nesterov's momentum
   * gradients and decay are those at w, v ← m v − (ηδ) w + Σ_b (w[row_b] + noise_b) K[row_b], and w ← w + (1+m) v − m v₋.
   */
  readonly advance: (rows: Int32Array, counts: Int32Array, noise: Float64Array | null) => void;
  /** Back to rest: v = 0. */
  readonly rest: () => void;
}

/** What a step does besides adding rows. */
export interface StepDynamics {
  /** m. */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** ηδ. */
  readonly drag: number;
}

/** @param kernel K = −(η/B) J Jᵀ, [size, size], symmetric */
export function plainRowSteps(
  kernel: Float64Array,
  size: number,
  { momentum, nesterov, drag }: StepDynamics,
): RowSteps {
  const residual = new Float64Array(size);
  const velocity = new Float64Array(size);
  const keepsVelocity = momentum !== 0 || drag !== 0;
  const ahead = nesterov ? momentum : 0;
  let factors = new Float64Array(16);
  return {
    residual,
    read: (target) => readPosition(target, residual, velocity, ahead),
    rest: () => void velocity.fill(0),
    advance(rows, counts, noise) {
      const target = keepsVelocity ? velocity : residual;
      let at = 0;
      for (const count of counts) {
        if (count > factors.length) factors = new Float64Array(2 * count);
        for (let b = 0; b < count; b++) factors[b] = residual[rows[at + b]!]! + (noise === null ? 0 : noise[at + b]!);
        if (keepsVelocity) {
          for (let d = 0; d < size; d++) {
            const before = velocity[d]!;
            velocity[d] = momentum * before - drag * residual[d]!;
            if (ahead > 0) residual[d]! -= ahead * before;
          }
        }
        // Four rows at a time, added in the order in which they come: the sums are the WebAssembly kernel's to the last bit.
        let b = 0;
        for (; b + 4 <= count; b += 4) {
          const [f0, f1, f2, f3] = [factors[b]!, factors[b + 1]!, factors[b + 2]!, factors[b + 3]!];
          let [k0, k1] = [rows[at + b]! * size, rows[at + b + 1]! * size];
          let [k2, k3] = [rows[at + b + 2]! * size, rows[at + b + 3]! * size];
          for (let d = 0; d < size; d++) {
            target[d] = target[d]! + f0 * kernel[k0++]! + f1 * kernel[k1++]! + f2 * kernel[k2++]! + f3 * kernel[k3++]!;
          }
        }
        for (; b < count; b++) {
          const factor = factors[b]!;
          let k = rows[at + b]! * size;
          for (let d = 0; d < size; d++) target[d]! += factor * kernel[k++]!;
        }
        if (keepsVelocity) for (let d = 0; d < size; d++) residual[d]! += (1 + ahead) * velocity[d]!;
        at += count;
      }
    },
  };
}

/** z = w − m v; z itself without look-ahead. */
export function readPosition(
  target: Float64Array,
  residual: Float64Array,
  velocity: Float64Array,
  ahead: number,
): void {
  if (ahead === 0) target.set(residual);
  else for (let d = 0; d < target.length; d++) target[d] = residual[d]! - ahead * velocity[d]!;
}
