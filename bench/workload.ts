/** What a bench measures, in the terms the peers use: one call does a fixed amount of work, `per` units of it. */

export interface Workload {
  /** Set-up outside the timing; the returned callable does the work once and may return a value to compare. */
  readonly prepare: () => Promise<PreparedWorkload>;
}

export interface PreparedWorkload {
  /** Units of work in a call (steps, say); the reported time is per unit. */
  readonly per: number;
  readonly run: () => Promise<number | undefined> | number | undefined;
  readonly dispose?: () => Promise<void> | void;
}

/** One side's timing of one workload, the JSON line that the peer scripts print as well. */
export interface Timing {
  readonly peer: string;
  readonly version: string;
  readonly workload: string;
  readonly threads: number;
  /** Milliseconds per unit of work, one entry a repeat. */
  readonly milliseconds: readonly number[];
  readonly median: number;
  readonly extra: { readonly value?: number; readonly variant?: string; readonly disturbed?: string };
}
