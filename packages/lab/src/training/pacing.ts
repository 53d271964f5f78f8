/** Longest that training goes on without returning to the event loop, in milliseconds, where steps are short enough. */
const chunkMilliseconds = 50;

/** Chooses how many steps to make in one call, so that progress shows and an abort is honoured soon. */
export interface Pacer {
  /** Steps of the next call, at most `remaining`. */
  next(remaining: number): number;
  /** Says what the last call took. */
  took(steps: number, milliseconds: number): void;
}

/** Starts with few steps and follows the measured speed, at most fourfold at a time because the first call is slow. */
export function pacer(): Pacer {
  let steps = 16;
  return {
    next: (remaining) => Math.min(steps, remaining),
    took(made, milliseconds) {
      const fitting = Math.floor((made * chunkMilliseconds) / Math.max(milliseconds, 0.01));
      steps = Math.max(1, Math.min(fitting, 4 * steps));
    },
  };
}
