/** Decides when a measurement is due, so that it takes its share of the time and no more, however fast the machine is. */
export class Pace {
  #dueAt = -Infinity;

  /** @param share  Of the wall time, between 0 and 1, that the measurement may take. */
  constructor(private readonly share: number) {}

  isDue(now: number): boolean {
    return now >= this.#dueAt;
  }

  /** @param from @param to  Milliseconds: when the measurement began and ended. */
  took(from: number, to: number): void {
    this.#dueAt = to + (to - from) * (1 / this.share - 1);
  }

  /** Due at once: something has changed that it depends on. */
  reset(): void {
    this.#dueAt = -Infinity;
  }
}
