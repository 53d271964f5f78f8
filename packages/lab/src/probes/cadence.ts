/**
 * The steps at which a run is measured, ascending, from 0 to `steps` inclusive.
 *
 * With `count`: half of them even over the run, half even in log(step) before the first of those, because most happens
 * early: for 12,000 steps and 16 measurements 0, 1, 3, 8, 23, 65, 186, 528, then every 1500. Short runs, whose steps
 * are fewer than the measurements, are measured at every step. With `every`: the multiples of it, and the last step.
 *
 * @throws RangeError if a number is not a positive integer, or count below 2.
 */
export function probeSteps(
  steps: number,
  cadence: { readonly count?: number; readonly every?: number } = {},
): number[] {
  const { every, count = 16 } = cadence;
  requireInteger("steps", steps, 1);
  const chosen = new Set([0, steps]);
  if (every !== undefined) {
    requireInteger("every", every, 1);
    for (let step = every; step < steps; step += every) chosen.add(step);
  } else {
    requireInteger("count", count, 2);
    const even = Math.max(1, Math.floor(count / 2));
    for (let i = 1; i < even; i++) chosen.add(Math.round((steps * i) / even));
    const early = count - 1 - even;
    const first = steps / even;
    for (let i = 0; i < early; i++) chosen.add(Math.min(steps, Math.round(first ** (i / early))));
    // Rounding can make neighbours meet; the smallest unused steps make up for it.
    for (let step = 1; chosen.size < Math.min(count, steps + 1); step++) chosen.add(step);
  }
  return [...chosen].sort((a, b) => a - b);
}

function requireInteger(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`probeSteps: expected ${name} to be a whole number, at least ${least}, got ${value}.`);
  }
}
