/** How far one quantity is from its independently computed value, over all cases that have it. */
export interface ReferenceError {
  readonly quantity: string;
  readonly cases: number;
  /** |ours − reference| / |reference|, the largest; where the reference is 0, the absolute error. */
  readonly largest: number;
  /** What is allowed. */
  readonly tolerance: number;
}

/** Collects relative errors by quantity. */
export class ErrorLedger {
  readonly #entries = new Map<string, { cases: number; largest: number; tolerance: number }>();

  note(quantity: string, ours: number, reference: number, tolerance: number): void {
    this.noteAll(quantity, [ours], [reference], tolerance);
  }

  /** A vector of values, one case: each entry relative to itself, or to the largest where `scale` says so. */
  noteAll(
    quantity: string,
    ours: ArrayLike<number>,
    reference: ArrayLike<number>,
    tolerance: number,
    scale: "entry" | "largest" = "entry",
  ): void {
    const entry = this.#entries.get(quantity) ?? { cases: 0, largest: 0, tolerance };
    entry.cases++;
    const most = Math.max(...Array.from(reference, Math.abs));
    if (ours.length !== reference.length) entry.largest = Infinity;
    for (let i = 0; i < reference.length; i++) {
      const size = scale === "largest" ? most : Math.abs(reference[i]!);
      const error = Math.abs(ours[i]! - reference[i]!) / (size === 0 ? 1 : size);
      entry.largest = Number.isNaN(error) ? Infinity : Math.max(entry.largest, error);
    }
    this.#entries.set(quantity, entry);
  }

  errors(): ReferenceError[] {
    return [...this.#entries].map(([quantity, entry]) => ({ quantity, ...entry }));
  }
}
