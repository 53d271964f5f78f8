import { everything, type Selection } from "./selection.js";

export type XAxis = "step" | "epoch" | "time" | "training-time";
export type ChartId = "loss" | "edges" | "sharpness" | "accuracy" | "control" | "rates";

/** The pages: charts of the shown runs, all runs in a table, what tells the shown runs apart, a sweep's phases, one run. */
export type ViewName = "charts" | "table" | "compare" | "phases" | "run";
export type ColourBy = "outcome" | "kernel" | "loss";
/** Of which probe a phase diagram's theory is: each run's first, or its last. */
export type TheoryFrom = "first" | "last";

const viewNames: readonly ViewName[] = ["charts", "table", "compare", "phases"];
const colourings: readonly ColourBy[] = ["outcome", "kernel", "loss"];

export const xAxes: readonly XAxis[] = ["step", "epoch", "time", "training-time"];
export const chartIds: readonly ChartId[] = ["loss", "edges", "sharpness", "accuracy", "control", "rates"];

export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

/** Everything that a link to this page should bring back. */
export interface ViewState {
  readonly view: ViewName;
  /** The run that the view `run` is about; empty in the others. */
  readonly run: string;
  /** Column of the run table, and its direction. */
  readonly sort: Sort;
  /** The sweep of the phase diagram; empty is every run. */
  readonly sweep: string;
  readonly colourBy: ColourBy;
  readonly theoryFrom: TheoryFrom;
  readonly selection: Selection;
  readonly x: XAxis;
  readonly xLog: boolean;
  /** Charts whose vertical axis is logarithmic. */
  readonly log: ReadonlySet<ChartId>;
  /** Of the λ_max chart: the ratio to the edge, or λ_max itself. */
  readonly sharpness: "curvature" | "ratio";
  /** Measures switched on or off by hand; the others follow the chart's own rule. */
  readonly measures: ReadonlyMap<string, boolean>;
  /** Weight of the moving average, 0 to below 1. */
  readonly smoothing: number;
  readonly filter: string;
}

export const defaultView: ViewState = {
  view: "charts",
  run: "",
  sort: { column: "age", descending: false },
  sweep: "",
  colourBy: "outcome",
  theoryFrom: "first",
  selection: everything,
  x: "step",
  xLog: false,
  log: new Set(["loss", "edges", "sharpness", "rates"]),
  sharpness: "curvature",
  measures: new Map(),
  smoothing: 0,
  filter: "",
};

/** The query string of a view, without the question mark; what is as by default is left out. */
export function toQuery(view: ViewState): string {
  const query = new URLSearchParams();
  if (view.view === "run") query.set("run", view.run);
  else if (view.view !== "charts") query.set("view", view.view);
  const { column, descending } = view.sort;
  if (column !== defaultView.sort.column || descending) query.set("sort", `${descending ? "-" : ""}${column}`);
  if (view.sweep !== "") query.set("sweep", view.sweep);
  if (view.colourBy !== defaultView.colourBy) query.set("colour", view.colourBy);
  if (view.theoryFrom !== defaultView.theoryFrom) query.set("theory", view.theoryFrom);
  const { kind, ids } = view.selection;
  if (kind === "only") query.set("runs", [...ids].join(","));
  else if (ids.size > 0) query.set("hide", [...ids].join(","));
  if (view.x !== "step") query.set("x", view.x);
  if (view.xLog) query.set("xlog", "1");
  for (const id of chartIds) {
    if (view.log.has(id) !== defaultView.log.has(id)) query.set(id, view.log.has(id) ? "log" : "linear");
  }
  if (view.sharpness !== defaultView.sharpness) query.set("sharpness-as", view.sharpness);
  const switched = [...view.measures].map(([id, on]) => (on ? id : `-${id}`));
  if (switched.length > 0) query.set("show", switched.join(","));
  if (view.smoothing > 0) query.set("smooth", String(view.smoothing));
  if (view.filter !== "") query.set("filter", view.filter);
  // Commas are allowed in a query and easier to read.
  return query.toString().replaceAll("%2C", ",");
}

/** The view of a query string. What cannot be understood is as by default: an old link still opens. */
export function fromQuery(text: string): ViewState {
  const query = new URLSearchParams(text);
  const list = (name: string) => (query.get(name) ?? "").split(",").filter((item) => item !== "");
  const log = new Set(
    chartIds.filter((id) => {
      const asked = query.get(id);
      return asked === "log" || (asked !== "linear" && defaultView.log.has(id));
    }),
  );
  const sort = query.get("sort") ?? defaultView.sort.column;
  const run = query.get("run") ?? "";
  const smoothing = Number(query.get("smooth") ?? 0);
  return {
    view: run !== "" ? "run" : (viewNames.find((name) => name === query.get("view")) ?? "charts"),
    run,
    sort: { column: sort.replace(/^-/, ""), descending: sort.startsWith("-") },
    sweep: query.get("sweep") ?? "",
    colourBy: colourings.find((name) => name === query.get("colour")) ?? defaultView.colourBy,
    theoryFrom: query.get("theory") === "last" ? "last" : "first",
    selection: query.has("runs")
      ? { kind: "only", ids: new Set(list("runs")) }
      : { kind: "all-but", ids: new Set(list("hide")) },
    x: xAxes.find((axis) => axis === query.get("x")) ?? "step",
    xLog: query.get("xlog") === "1",
    log,
    sharpness: query.get("sharpness-as") === "ratio" ? "ratio" : defaultView.sharpness,
    measures: new Map(list("show").map((item) => (item.startsWith("-") ? [item.slice(1), false] : [item, true]))),
    smoothing: smoothing >= 0 && smoothing < 1 ? smoothing : 0,
    filter: query.get("filter") ?? "",
  };
}
