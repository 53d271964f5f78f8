/**
 * Spearman's rank correlation ρ, from −1 to 1: the correlation of the ranks, equal values sharing the mean of theirs. Asks
 * whether one quantity orders the other, by whatever increasing or decreasing law; infinite values rank where they belong.
 *
 * @returns NaN for fewer than three pairs, or if all values of one are equal.
 */
export function rankCorrelation(x: readonly number[], y: readonly number[]): number {
  if (x.length < 3) return NaN;
  const [a, b] = [ranks(x), ranks(y)];
  const middle = (x.length - 1) / 2;
  let [both, first, second] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [u, v] = [a[i]! - middle, b[i]! - middle];
    both += u * v;
    first += u * u;
    second += v * v;
  }
  return both / Math.sqrt(first * second);
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => compare(values[i]!, values[j]!));
  const result = new Array<number>(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let k = start; k < end; k++) result[order[k]!] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}

/** Subtraction would give NaN for two infinities. */
const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
