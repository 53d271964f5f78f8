import type { SeriesData } from "../api/types.js";

/**
 * One metric of one run in growable columns, strictly ascending in step. A step that is written again replaces what was
 * there, so applying an event twice changes nothing: history and live stream may overlap freely.
 */
export class Series {
  #length = 0;
  #steps = new Float64Array(64);
  #times = new Float64Array(64);
  #values = new Float64Array(64);
  /** Changes whenever the content does. */
  version = 0;
  /** Changes whenever the content does in another way than by points added at its end. */
  rewrites = 0;

  get length(): number {
    return this.#length;
  }
  /** Views of the columns, valid until the next change. */
  get steps(): Float64Array {
    return this.#steps.subarray(0, this.#length);
  }
  /** Milliseconds since the epoch. */
  get times(): Float64Array {
    return this.#times.subarray(0, this.#length);
  }
  /** NaN where nothing could be measured; infinite values are kept. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }

  set(step: number, time: number, value: number): void {
    const last = this.#length - 1;
    if (last < 0 || step > this.#steps[last]!) return this.#insert(this.#length, step, time, value);
    this.rewrites++;
    const at = lowerBound(this.#steps, step, this.#length);
    if (this.#steps[at] !== step) return this.#insert(at, step, time, value);
    this.#times[at] = time;
    this.#values[at] = value;
    this.version++;
  }

  /** All points of `data`; equal to setting them one by one, but linear in the two lengths. */
  merge({ steps, times, values }: SeriesData): void {
    const total = this.#length + steps.length;
    const [oldSteps, oldTimes, oldValues] = [this.steps, this.times, this.values];
    const capacity = Math.max(64, 2 ** Math.ceil(Math.log2(total + 1)));
    const [newSteps, newTimes, newValues] = [
      new Float64Array(capacity),
      new Float64Array(capacity),
      new Float64Array(capacity),
    ];
    let n = 0;
    for (let i = 0, j = 0; i < oldSteps.length || j < steps.length; n++) {
      const fromOld = j >= steps.length || (i < oldSteps.length && oldSteps[i]! < steps[j]!);
      if (!fromOld && i < oldSteps.length && oldSteps[i] === steps[j]) i++; // replaced
      newSteps[n] = fromOld ? oldSteps[i]! : steps[j]!;
      newTimes[n] = fromOld ? oldTimes[i]! : times[j]!;
      newValues[n] = fromOld ? oldValues[i++]! : values[j++]!;
    }
    this.#steps = newSteps;
    this.#times = newTimes;
    this.#values = newValues;
    this.#length = n;
    this.version++;
    this.rewrites++;
  }

  #insert(at: number, step: number, time: number, value: number): void {
    if (this.#length === this.#steps.length) {
      this.#steps = grown(this.#steps);
      this.#times = grown(this.#times);
      this.#values = grown(this.#values);
    }
    for (const [column, item] of [
      [this.#steps, step],
      [this.#times, time],
      [this.#values, value],
    ] as const) {
      column.copyWithin(at + 1, at, this.#length);
      column[at] = item;
    }
    this.#length++;
    this.version++;
  }
}

/** The first index in ascending `sorted[0..length)` whose entry is not below `value`; `length` if there is none. */
export function lowerBound(sorted: ArrayLike<number>, value: number, length = sorted.length): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the entry of ascending `sorted` nearest to `value`; -1 if it is empty. Ties go to the lower. */
export function nearestIndex(sorted: ArrayLike<number>, value: number): number {
  const above = lowerBound(sorted, value);
  if (above === 0) return sorted.length === 0 ? -1 : 0;
  if (above === sorted.length) return above - 1;
  return value - sorted[above - 1]! <= sorted[above]! - value ? above - 1 : above;
}

function grown(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}
