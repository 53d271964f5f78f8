/**
 * A root of f between two points where it has opposite signs, or is 0, by regula falsi with the Illinois correction, which keeps
 * the bracket and converges superlinearly where f is nearly linear, bisecting where that stalls.
 *
 * @param tolerance relative width of the bracket to stop at
 */
export function bracketedRoot(
  f: (x: number) => number,
  low: number,
  high: number,
  valueLow: number,
  valueHigh: number,
  tolerance: number,
): number {
  let [a, b, fa, fb] = [low, high, valueLow, valueHigh];
  let side = 0;
  for (let turn = 0; turn < 200; turn++) {
    if (fa === 0) return a;
    if (fb === 0) return b;
    const width = Math.abs(b - a);
    if (width <= tolerance * Math.max(Math.abs(a), Math.abs(b))) break;
    // Every fourth turn halves the bracket, so that one end that never moves cannot hold it open.
    let x = turn % 4 === 3 ? 0.5 * (a + b) : (a * fb - b * fa) / (fb - fa);
    // Half a tolerance inside, so that a root next to an end is enclosed rather than approached for ever.
    const least = 0.5 * tolerance * Math.max(Math.abs(a), Math.abs(b));
    x = Math.min(Math.max(x, Math.min(a, b) + least), Math.max(a, b) - least);
    const fx = f(x);
    if (fx > 0 === fb > 0 && fx !== 0) {
      [b, fb] = [x, fx];
      if (side === 1) fa *= 0.5;
      side = 1;
    } else {
      [a, fa] = [x, fx];
      if (side === -1) fb *= 0.5;
      side = -1;
    }
  }
  return Math.abs(fa) < Math.abs(fb) ? a : b;
}
