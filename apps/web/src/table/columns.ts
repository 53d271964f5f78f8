import type { RunSummary } from "../api/types.js";

/** What a column of the run table sorts by. */
export type ColumnId = "name" | "status" | "kernel" | "ratio" | "loss" | "accuracy" | "rate" | "batch" | "step" | "age";

export interface Column {
  readonly id: ColumnId;
  readonly label: string;
  /** In full, for tooltips and screen readers. */
  readonly title: string;
  readonly kind: "text" | "number";
  /** Ascending; a NaN, which is not measured, comes last in either direction. */
  readonly key: (run: RunSummary) => number | string;
}

/** Those that need the reader's attention first. */
const statusOrder: Readonly<Record<RunSummary["status"], number>> = {
  running: 0,
  diverged: 1,
  failed: 2,
  interrupted: 3,
  finished: 4,
};

const latest =
  (key: string) =>
  ({ latest: values }: RunSummary) =>
    values[key] ?? NaN;

export const columns: readonly Column[] = [
  { id: "name", label: "Run", title: "name", kind: "text", key: ({ name }) => name },
  { id: "status", label: "Status", title: "status", kind: "text", key: ({ status }) => statusOrder[status] },
  {
    id: "kernel",
    label: "K",
    title: "noise kernel norm K, exact, ± one standard error: 1 on the stochastic edge",
    kind: "number",
    key: latest("noiseKernel/exact"),
  },
  {
    id: "ratio",
    label: "λ_max·η/2",
    title: "sharpness relative to the deterministic edge: 1 on the edge",
    kind: "number",
    key: latest("edge/deterministic"),
  },
  { id: "loss", label: "Loss", title: "loss on the training set", kind: "number", key: latest("loss/train") },
  {
    id: "accuracy",
    label: "Accuracy",
    title: "accuracy on the test set",
    kind: "number",
    key: latest("accuracy/test"),
  },
  {
    id: "rate",
    label: "η",
    title: "learning rate",
    kind: "number",
    key: ({ config, latest: values }) => values["learningRate"] ?? config.learningRate ?? NaN,
  },
  {
    id: "batch",
    label: "B",
    title: "batch size",
    kind: "number",
    key: ({ config, latest: values }) => values["batchSize"] ?? config.batchSize ?? NaN,
  },
  { id: "step", label: "Step", title: "updates made, of those planned", kind: "number", key: ({ step }) => step },
  { id: "age", label: "Started", title: "when the run started", kind: "number", key: ({ startedAt }) => -startedAt },
];

export const columnOf = (id: string): Column => columns.find((column) => column.id === id) ?? columns.at(-1)!;

/** The runs in order of a column; of equal ones the newest first. */
export function sortedRuns(runs: readonly RunSummary[], column: string, descending: boolean): RunSummary[] {
  const { key } = columnOf(column);
  const keyed = runs.map((run) => ({ run, key: key(run) }));
  const isMissing = (value: number | string) => typeof value === "number" && Number.isNaN(value);
  keyed.sort((a, b) => {
    if (isMissing(a.key) || isMissing(b.key)) {
      return Number(isMissing(a.key)) - Number(isMissing(b.key)) || b.run.startedAt - a.run.startedAt;
    }
    const order =
      typeof a.key === "string" && typeof b.key === "string"
        ? a.key.localeCompare(b.key, undefined, { numeric: true })
        : (a.key as number) < (b.key as number)
          ? -1
          : Number((a.key as number) > (b.key as number));
    return (descending ? -order : order) || b.run.startedAt - a.run.startedAt;
  });
  return keyed.map(({ run }) => run);
}
