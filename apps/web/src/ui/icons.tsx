import type { RunStatus } from "../api/types.js";

const shapes: Readonly<Record<RunStatus, string>> = {
  running: "M4 2.5 L9.5 6 L4 9.5 Z",
  finished: "M2.2 6.4 L4.8 9 L9.8 3.4",
  diverged: "M2 9.5 C5 9.2 6.6 7.5 8 3 M5.6 4.2 L8.1 2.6 L9.6 5.2",
  failed: "M3 3 L9 9 M9 3 L3 9",
  interrupted: "M4 3 V9 M8 3 V9",
};

/** A run's status as a sign; the word beside it says the same. */
export function StatusIcon({ status }: { readonly status: RunStatus }) {
  return (
    <svg class="icon" viewBox="0 0 12 12" aria-hidden="true">
      <path d={shapes[status]} fill={status === "running" ? "currentColor" : "none"} stroke="currentColor" />
    </svg>
  );
}

/** A stalk of sedge: three leaves from one foot. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M12 22 C12 14 11.4 8 9 2" />
      <path d="M12 22 C12.4 15.5 14.2 10 19.5 5.5" />
      <path d="M12 22 C11.2 17.5 8.6 13.5 3.5 11.5" />
    </svg>
  );
}

/** A piece of line in a measure's style, for legends. */
export function LineSample({ dash, width, colour }: { dash: readonly number[]; width: number; colour?: string }) {
  return (
    <svg class="line-sample" viewBox="0 0 26 8" aria-hidden="true" style={colour ? { color: colour } : undefined}>
      <line x1="1" x2="25" y1="4" y2="4" stroke="currentColor" stroke-width={width} stroke-dasharray={dash.join(" ")} />
    </svg>
  );
}
