/**
 * Axis scales: what is linear on the screen. `log` shows positive numbers only. `asinh` is the logarithm of a horizontal
 * axis that starts at 0: logarithmic above `threshold`, linear below it.
 */
export type Scale =
  { readonly kind: "linear" } | { readonly kind: "log" } | { readonly kind: "asinh"; readonly threshold: number };

export type Domain = readonly [min: number, max: number];

/** The position of a value along the scale, in the scale's own unit; NaN where the scale has no place for it. */
export function project(scale: Scale, value: number): number {
  switch (scale.kind) {
    case "linear":
      return Number.isFinite(value) ? value : NaN;
    case "log":
      return value > 0 && value < Infinity ? Math.log10(value) : NaN;
    case "asinh":
      return Number.isFinite(value) ? Math.asinh(value / scale.threshold) : NaN;
  }
}

/** The inverse of `project`. */
export function unproject(scale: Scale, position: number): number {
  switch (scale.kind) {
    case "linear":
      return position;
    case "log":
      return 10 ** position;
    case "asinh":
      return Math.sinh(position) * scale.threshold;
  }
}

/** `domain` with a share of its length, as seen on the scale, added at both ends. A single value gets room around it. */
export function padded(scale: Scale, [min, max]: Domain, share: number): Domain {
  let low = project(scale, min);
  let high = project(scale, max);
  if (low === high) {
    const room = scale.kind === "linear" ? Math.abs(low) / 2 || 0.5 : 0.5;
    low -= room;
    high += room;
  }
  const room = (high - low) * share;
  return [unproject(scale, low - room), unproject(scale, high + room)];
}

/** `domain` magnified `factor` times about the value `about`, as seen on the scale. */
export function zoomed(scale: Scale, [min, max]: Domain, about: number, factor: number): Domain {
  const centre = project(scale, about);
  const at = (edge: number) => unproject(scale, centre + (project(scale, edge) - centre) / factor);
  return [at(min), at(max)];
}

/** `domain` moved by a share of its own length, as seen on the scale. */
export function panned(scale: Scale, [min, max]: Domain, share: number): Domain {
  const [low, high] = [project(scale, min), project(scale, max)];
  const shift = (high - low) * share;
  return [unproject(scale, low + shift), unproject(scale, high + shift)];
}

/** `domain` brought inside `limits` by moving it, then by cutting what is still too long. */
export function within(scale: Scale, [min, max]: Domain, [lowest, highest]: Domain): Domain {
  const [low, high, bottom, top] = [min, max, lowest, highest].map((value) => project(scale, value));
  if (high! - low! >= top! - bottom!) return [lowest, highest];
  if (low! < bottom!) return [lowest, unproject(scale, bottom! + (high! - low!))];
  if (high! > top!) return [unproject(scale, top! - (high! - low!)), highest];
  return [min, max];
}

/**
 * Round values inside `domain`, ascending, at most about `most` of them: 1, 2, 2.5 or 5 times a power of ten
 * apart on a linear scale; powers of ten, then 1-2-5, then finer, on the others.
 */
export function ticks(scale: Scale, domain: Domain, most: number): number[] {
  if (!(domain[0] < domain[1]) || !(most >= 1)) return [];
  if (scale.kind === "linear") return linearTicks(domain, most);
  if (scale.kind === "log") return logTicks(domain, most);
  const [low, high] = domain;
  const positive: Domain = [Math.max(low, scale.threshold), high];
  const above = positive[0] < positive[1] ? logTicks(positive, most - 1, false) : [];
  const rounded = low <= 0 && high >= 0 ? [0, ...above] : above;
  // Zoomed in so far that no power of ten is left: what is seen is as good as linear.
  return rounded.length >= 3 ? rounded : linearTicks(domain, most);
}

function linearTicks([min, max]: Domain, most: number): number[] {
  const power = 10 ** Math.floor(Math.log10((max - min) / most));
  // Each is at most twice the one before, so the first that is coarse enough leaves two ticks or more, from four on.
  for (const factor of [1, 2, 2.5, 5, 10, 20, 25, 50]) {
    const step = factor * power;
    const first = Math.ceil(min / step - 1e-9);
    const last = Math.floor(max / step + 1e-9);
    if (last - first + 1 > most) continue;
    // Dividing by a whole number keeps 0.3 from becoming 0.30000000000000004; adding 0 makes −0 a 0.
    const inverse = Math.round(1 / step);
    const isWholeInverse = step < 1 && Math.abs(inverse * step - 1) < 1e-9;
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
      const k = first + i;
      return (isWholeInverse ? k / inverse : k * step) + 0;
    });
  }
  return [];
}

function logTicks([min, max]: Domain, most: number, refine = true): number[] {
  const from = Math.floor(Math.log10(min));
  const to = Math.ceil(Math.log10(max));
  const inside = (value: number) => value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9);
  const decades = (mantissas: readonly number[]) => {
    const values: number[] = [];
    for (let power = from; power <= to; power++) {
      for (const mantissa of mantissas) values.push(power < 0 ? mantissa / 10 ** -power : mantissa * 10 ** power);
    }
    return values.filter(inside);
  };
  const powers = decades([1]);
  if (powers.length > most) {
    const every = Math.ceil(powers.length / most);
    return powers.filter((value) => Math.round(Math.log10(value)) % every === 0);
  }
  let best = powers;
  for (const mantissas of [
    [1, 3],
    [1, 2, 5],
    [1, 1.5, 2, 3, 5, 7],
  ]) {
    const candidate = decades(mantissas);
    if (candidate.length <= most && candidate.length > best.length) best = candidate;
  }
  // Less than a decade in view: even steps say more than one lonely power.
  return best.length >= 3 || !refine ? best : linearTicks([min, max], most);
}
