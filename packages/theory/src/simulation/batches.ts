import type { Random } from "@sedge/linalg";
import type { Sampling } from "../sampling.js";

/** A stream of minibatches of one seed. */
export interface Batches {
  /**
   * Draws the batches of the next `steps` steps.
   *
   * @returns the examples drawn, batch after batch, and how many each batch has
   */
  readonly draw: (steps: number) => { readonly examples: Int32Array; readonly counts: Int32Array };
}

/** What is drawn depends on the stream alone, not on how many steps are asked for at a time. */
export function batches(sampling: Sampling, examples: number, batchSize: number, rng: Random): Batches {
  if (sampling === "bernoulli") return bernoulli(examples, batchSize, rng);
  const next = {
    "with-replacement": withReplacement,
    "without-replacement": withoutReplacement,
    "epoch-shuffle": epochShuffle,
  }[sampling](examples, batchSize, rng);
  return {
    draw(steps) {
      const drawn = new Int32Array(steps * batchSize);
      for (let step = 0; step < steps; step++) next(drawn, step * batchSize);
      return { examples: drawn, counts: new Int32Array(steps).fill(batchSize) };
    },
  };
}

/** Bits are drawn this many at a time. */
const BUFFER = 1024;

/** Uniform integers below n ≤ 2²¹ from bits drawn in bulk: what is left of a buffer stays for the next call. */
function integers(rng: Random): (n: number) => number {
  const bits = new Uint32Array(BUFFER);
  let used = BUFFER;
  return (n) => {
    // Lemire's method: the high word of n·bits, rejecting the few low words that would make some results likelier.
    for (;;) {
      if (used === BUFFER) {
        rng.bitsInto(bits);
        used = 0;
      }
      const draw = bits[used++]!;
      const low = Math.imul(n, draw) >>> 0;
      if (low >= n || low >= 2 ** 32 % n) return (n * draw * 2 ** -32) | 0; // n·draw is below 2⁵³: exact
    }
  };
}

/** Writes one batch into `target` from `at` on. */
type Draw = (target: Int32Array, at: number) => void;

function withReplacement(examples: number, batchSize: number, rng: Random): Draw {
  const integer = integers(rng);
  return (target, at) => {
    for (let b = 0; b < batchSize; b++) target[at + b] = integer(examples);
  };
}

/** Floyd's method: B draws, each either new or replaced by the one index that cannot have come up yet. */
function withoutReplacement(examples: number, batchSize: number, rng: Random): Draw {
  const integer = integers(rng);
  const lastSeen = new Int32Array(examples).fill(-1);
  let turn = 0;
  return (target, at) => {
    for (let b = 0; b < batchSize; b++) {
      const newest = examples - batchSize + b;
      let example = integer(newest + 1);
      if (lastSeen[example] === turn) example = newest;
      lastSeen[example] = turn;
      target[at + b] = example;
    }
    turn++;
  };
}

/** Slices of a fresh permutation each epoch; what is left at its end, fewer than B, is passed over. */
function epochShuffle(examples: number, batchSize: number, rng: Random): Draw {
  const integer = integers(rng);
  const order = Int32Array.from({ length: examples }, (_, i) => i);
  let position = examples;
  return (target, at) => {
    if (position + batchSize > examples) {
      for (let i = examples - 1; i > 0; i--) {
        const j = integer(i + 1);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      position = 0;
    }
    for (let b = 0; b < batchSize; b++) target[at + b] = order[position++]!;
  };
}

function bernoulli(examples: number, batchSize: number, rng: Random): Batches {
  const share = batchSize / examples;
  return {
    draw(steps) {
      const drawn: number[] = [];
      const counts = new Int32Array(steps);
      for (let step = 0; step < steps; step++) {
        const before = drawn.length;
        for (let i = 0; i < examples; i++) if (rng.uniform() < share) drawn.push(i);
        counts[step] = drawn.length - before;
      }
      return { examples: Int32Array.from(drawn), counts };
    },
  };
}
