/** Seeded numbers for tests: mulberry32, a 32-bit counter generator. */
export interface TestRandom {
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** A whole number from low to high, both included. */
  integer(low: number, high: number): number;
  /** `size` uniform numbers. */
  array(size: number, low?: number, high?: number): Float64Array;
}

export function testRandom(seed: number): TestRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const uniform = (low: number, high: number): number => low + (high - low) * next();
  return {
    uniform,
    integer: (low, high) => Math.floor(uniform(low, high + 1)),
    array: (size, low = -1, high = 1) => Float64Array.from({ length: size }, () => uniform(low, high)),
  };
}
