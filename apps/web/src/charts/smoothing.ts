/**
 * Exponential moving average over the points, as in TensorBoard: m ← w·m + (1 − w)·v, divided by 1 − wⁿ so that the
 * start is not drawn towards zero. Values that are not finite stay as they are and do not count.
 *
 * @param weight  w, from 0 (no smoothing) to below 1.
 */
export function smooth(values: Float64Array, weight: number): Float64Array {
  if (!(weight > 0)) return values;
  const smoothed = new Float64Array(values.length);
  let mean = 0;
  let bias = 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      smoothed[i] = value;
      continue;
    }
    mean = weight * mean + (1 - weight) * value;
    bias *= weight;
    smoothed[i] = mean / (1 - bias);
  }
  return smoothed;
}
