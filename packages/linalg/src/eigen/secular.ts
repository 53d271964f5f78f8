/** A root of the secular equation, as its distance from a pole: `poles[origin] + distance`, without cancellation. */
export interface SecularRoot {
  readonly origin: number;
  readonly distance: number;
}

/**
 * Root number `index` of 1/ρ + Σ zᵢ²/(dᵢ − λ) = 0: the one between poles d[index] and d[index + 1], or above the last.
 *
 * Rational interpolation with two poles, as LAPACK's dlaed4 (R.-C. Li, LAPACK Working Note 89), inside a bracket that a step
 * must not leave: the worst case is bisection.
 *
 * @param poles dᵢ, strictly ascending, [count]
 * @param squares zᵢ² > 0, [count]
 * @param rho ρ > 0
 */
export function secularRoot(
  poles: Float64Array,
  squares: Float64Array,
  count: number,
  rho: number,
  index: number,
): SecularRoot {
  const last = index === count - 1;
  if (count === 1) return { origin: 0, distance: rho * squares[0]! };
  const inverse = 1 / rho;

  // Poles up to `split` pull the root one way, those beyond it the other.
  const split = last ? count - 2 : index;
  const sums: Sums = { value: 0, lowSlope: 0, highSlope: 0, rounding: 0 };
  const evaluate = (origin: number, distance: number): void => {
    sumsAt(sums, poles, squares, count, split, poles[origin]!, distance, inverse);
  };

  // Bracket, from the nearer pole. The function rises from −∞ to +∞ between poles, and to 1/ρ beyond the last.
  let origin = index;
  let lower = 0;
  let upper: number;
  let distance: number;
  if (last) {
    let total = 0;
    for (let i = 0; i < count; i++) total += squares[i]!;
    upper = rho * total;
    distance = upper / 2;
    evaluate(origin, distance);
  } else {
    const gap = poles[index + 1]! - poles[index]!;
    distance = gap / 2;
    evaluate(origin, distance);
    upper = distance;
    if (sums.value < 0) {
      origin = index + 1;
      distance = -distance;
      lower = distance;
      upper = 0;
    }
  }

  let middleWay = true;
  for (let iteration = 0; iteration < 100; iteration++) {
    const { value, lowSlope, highSlope, rounding } = sums;
    if (Math.abs(value) <= Number.EPSILON * rounding) break;
    if (value < 0) lower = Math.max(lower, distance);
    else upper = Math.min(upper, distance);

    const left = poles[split]! - poles[origin]! - distance;
    const right = poles[split + 1]! - poles[origin]! - distance;
    const slope = lowSlope + highSlope;
    let c = value - left * lowSlope - right * highSlope;
    if (!middleWay && !last) {
      // The weight of the nearer pole as it is, the other to match.
      const gap = poles[split + 1]! - poles[split]!;
      c =
        origin === index
          ? value - right * slope + gap * (squares[split]! / left / left)
          : value - left * slope - gap * (squares[split + 1]! / right / right);
    }
    const a = (left + right) * value - left * right * slope;
    const b = left * right * value;
    const root = Math.sqrt(Math.abs(a * a - 4 * b * c));
    let step: number;
    if (last) step = a >= 0 ? (a + root) / (2 * Math.abs(c)) : (2 * b) / (a - root);
    else step = a <= 0 ? (a - root) / (2 * c) : (2 * b) / (a + root);
    if (!(value * step < 0)) step = -value / slope;
    let next = distance + step;
    if (!(next > lower && next < upper)) next = (lower + upper) / 2;
    if (next === distance || next === lower || next === upper) break; // neighbouring numbers: nothing is closer

    distance = next;
    evaluate(origin, distance);
    if (Math.abs(sums.value) > 0.1 * Math.abs(value)) middleWay = !middleWay;
  }
  return { origin, distance };
}

interface Sums {
  value: number;
  lowSlope: number;
  highSlope: number;
  /** A bound on the rounding error of `value`, in units of its relative precision. */
  rounding: number;
}

/** The secular function and its slopes at `base + distance`, one sum from each end towards the root. */
function sumsAt(
  sums: Sums,
  poles: Float64Array,
  squares: Float64Array,
  count: number,
  split: number,
  base: number,
  distance: number,
  inverse: number,
): void {
  let low = 0;
  let lowSlope = 0;
  let rounding = 0;
  for (let i = 0; i <= split; i++) {
    const reciprocal = 1 / (poles[i]! - base - distance);
    const term = squares[i]! * reciprocal;
    low += term;
    lowSlope += term * reciprocal;
    rounding -= low;
  }
  let high = 0;
  let highSlope = 0;
  for (let i = count - 1; i > split; i--) {
    const reciprocal = 1 / (poles[i]! - base - distance);
    const term = squares[i]! * reciprocal;
    high += term;
    highSlope += term * reciprocal;
    rounding += high;
  }
  sums.value = inverse + low + high;
  sums.lowSlope = lowSlope;
  sums.highSlope = highSlope;
  const partial = Math.abs(rounding) + 8 * (Math.abs(low) + Math.abs(high)) + inverse;
  sums.rounding = partial + Math.abs(distance) * (lowSlope + highSlope);
}
