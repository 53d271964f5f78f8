/**
 * How well a positive quantity is a function of one variable: the geometric mean, over groups of equal variable, of the
 * largest over the smallest value in the group. 1 is a perfect collapse.
 *
 * @returns NaN if no variable occurs twice.
 */
export function spreadAlong(points: readonly { readonly along: number; readonly value: number }[]): number {
  const groups = new Map<string, number[]>();
  for (const { along, value } of points) {
    const key = along.toPrecision(3); // learning rates are round numbers, their quotients nearly equal
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  const ratios = [...groups.values()]
    .filter((values) => values.length > 1)
    .map((values) => Math.log(Math.max(...values) / Math.min(...values)));
  return ratios.length === 0 ? NaN : Math.exp(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length);
}
