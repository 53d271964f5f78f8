/**
 * Exponential moving average over the points, as in TensorBoard: m ← w·m + (1 − w)·v, divided by 1 − wⁿ so that the
 * start is not drawn towards zero. Values that are not finite stay as they are and do not count.
 *
 * @param weight  w, from 0 (no smoothing) to below 1.
 * @returns  A function to call with the values one after another.
 */
export function smoother(weight: number): (value: number) => number {
  if (!(weight > 0)) return (value) => value;
  let mean = 0;
  let bias = 1;
  return (value) => {
    if (!Number.isFinite(value)) return value;
    mean = weight * mean + (1 - weight) * value;
    bias *= weight;
    return mean / (1 - bias);
  };
}
