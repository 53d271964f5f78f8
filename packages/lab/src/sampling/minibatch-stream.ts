import type { Random } from "@sedge/linalg";

/** How the B examples of a minibatch are drawn from N. Draws of different steps are independent but in an epoch. */
export type Sampling = "with-replacement" | "without-replacement" | "epoch-shuffle";

export interface MinibatchOptions {
  /** N. */
  readonly examples: number;
  /** B, at most N. */
  readonly batchSize: number;
  readonly sampling: Sampling;
  /** The stream's own generator: nothing else may draw from it. */
  readonly random: Random;
}

/** Where a stream stands. Plain data: JSON and back loses nothing. */
export interface MinibatchState {
  /** The generator's state: now, or for `epoch-shuffle` before the current epoch was shuffled. */
  readonly random: RandomState;
  /** Batches taken from the current epoch; 0 unless the sampling is `epoch-shuffle`. */
  readonly position: number;
}
type RandomState = ReturnType<Random["state"]>;

/** An endless sequence of minibatches. How it is cut into calls changes nothing about it. */
export interface MinibatchStream {
  /** The indices of the next `steps` minibatches, row-major `[steps, B]`. */
  next(steps: number): Int32Array;
  state(): MinibatchState;
  /** Goes to where `state` was taken, from a stream of the same options. */
  restore(state: MinibatchState): void;
}

/**
 * Minibatch indices for `sampling`:
 *
 * - `with-replacement`: B independent uniform draws;
 * - `without-replacement`: a uniform ordered selection of B different examples, anew each step;
 * - `epoch-shuffle`: all N shuffled, then cut into ⌊N/B⌋ batches; the N mod B left over sit this epoch out.
 *
 * @throws RangeError if B is not between 1 and N.
 */
export function minibatchStream({ examples, batchSize, sampling, random }: MinibatchOptions): MinibatchStream {
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > examples) {
    throw new RangeError(`minibatchStream: expected a batchSize from 1 to examples = ${examples}, got ${batchSize}.`);
  }
  if (sampling === "epoch-shuffle") return epochStream(examples, batchSize, random);

  const draw = sampling === "with-replacement" ? independentDraws(examples, random) : distinctDraws(examples, random);
  return {
    next(steps) {
      const indices = new Int32Array(steps * batchSize);
      for (let step = 0; step < steps; step++) draw(indices.subarray(step * batchSize, (step + 1) * batchSize));
      return indices;
    },
    state: () => ({ random: random.state(), position: 0 }),
    restore: (state) => random.restore(state.random),
  };
}

function independentDraws(examples: number, random: Random): (batch: Int32Array) => void {
  return (batch) => {
    for (let i = 0; i < batch.length; i++) batch[i] = random.integer(examples);
  };
}

/** The first B places of a Fisher–Yates shuffle, undone afterwards, so that a step costs O(B) and leaves no state. */
function distinctDraws(examples: number, random: Random): (batch: Int32Array) => void {
  const order = identity(examples);
  return (batch) => {
    const swaps = new Int32Array(batch.length);
    for (let i = 0; i < batch.length; i++) {
      swaps[i] = i + random.integer(examples - i);
      swap(order, i, swaps[i]!);
      batch[i] = order[i]!;
    }
    for (let i = batch.length - 1; i >= 0; i--) swap(order, i, swaps[i]!);
  };
}

function epochStream(examples: number, batchSize: number, random: Random): MinibatchStream {
  const batches = Math.floor(examples / batchSize);
  let order = identity(examples);
  let start = random.state();
  let position = batches; // nothing shuffled yet

  const shuffle = () => {
    start = random.state();
    order = identity(examples);
    for (let i = 0; i < examples - 1; i++) swap(order, i, i + random.integer(examples - i));
    position = 0;
  };
  return {
    next(steps) {
      const indices = new Int32Array(steps * batchSize);
      for (let step = 0; step < steps; step++) {
        if (position === batches) shuffle();
        indices.set(order.subarray(position * batchSize, (position + 1) * batchSize), step * batchSize);
        position++;
      }
      return indices;
    },
    // At an epoch's end the next epoch's start is what counts, and it has no batches taken.
    state: () => (position === batches ? { random: random.state(), position: 0 } : { random: start, position }),
    restore(state) {
      random.restore(state.random);
      if (state.position === 0) {
        position = batches;
      } else {
        shuffle();
        position = state.position;
      }
    },
  };
}

const identity = (size: number) => Int32Array.from({ length: size }, (_, i) => i);

function swap(values: Int32Array, i: number, j: number): void {
  const kept = values[i]!;
  values[i] = values[j]!;
  values[j] = kept;
}
