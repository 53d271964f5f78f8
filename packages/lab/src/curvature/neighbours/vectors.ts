/** ⟨x, y⟩. */
export function inner(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length)
    throw new RangeError(`inner: expected vectors of one size, got ${x.length} and ${y.length}.`);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** ‖x‖. */
export const length = (x: ArrayLike<number>): number => Math.sqrt(inner(x, x));

/** ⟨x, y⟩ / (‖x‖‖y‖), from −1 to 1; NaN if a vector is zero. */
export function cosine(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const product = length(x) * length(y);
  return product === 0 ? NaN : Math.max(-1, Math.min(1, inner(x, y) / product));
}

/** ‖x − y‖. */
export function distance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length)
    throw new RangeError(`distance: expected vectors of one size, got ${x.length} and ${y.length}.`);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2;
  return Math.sqrt(sum);
}
