import { minibatchStream, type MinibatchOptions, type MinibatchStream } from "./minibatch-stream.js";

/** A minibatch stream whose B may change between calls. */
export interface ResizableStream extends MinibatchStream {
  readonly batchSize: number;
  /** From the next call on. The draws go on; a shuffled epoch that is under way ends. */
  resize(batchSize: number): void;
}

/** `state` does not hold B: whoever restores it resizes first. */
export function resizableStream(options: MinibatchOptions): ResizableStream {
  let batchSize = options.batchSize;
  let stream = minibatchStream(options);
  return {
    get batchSize() {
      return batchSize;
    },
    resize(wanted) {
      stream = minibatchStream({ ...options, batchSize: wanted });
      batchSize = wanted;
    },
    next: (steps) => stream.next(steps),
    state: () => stream.state(),
    restore: (state) => stream.restore(state),
  };
}
