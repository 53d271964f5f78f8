import { batch, computed, effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { createClient } from "../api/client.js";
import type { RunSummary, SeriesData } from "../api/types.js";
import { chartedKeys, glanceKeys } from "../charts/measures.js";
import { fullDomain, xScaleOf } from "../charts/content.js";
import { padded, type Domain, type Scale } from "../charts/scale.js";
import { startFeed, type FeedState } from "../data/feed.js";
import { RunData } from "../data/run-data.js";
import { RunRecords } from "../data/run-records.js";
import { runColour, type Theme } from "./palette.js";
import { isSelected } from "./selection.js";
import { fromQuery, toQuery, type ViewState } from "./view-state.js";

export type ThemeChoice = "system" | Theme;

/** All that the page's parts share. Signals change at most once an animation frame, however fast events come in. */
export interface Page {
  readonly data: RunData;
  /** What runs recorded beyond metrics. */
  readonly records: RunRecords;
  /** Of the spectra on a probe alone: enough for theory, of many runs. */
  readonly probeSpectra: RunRecords;
  /** Grows whenever `data` has changed. */
  readonly frame: ReadonlySignal<number>;
  /** Oldest first. */
  readonly runs: ReadonlySignal<readonly RunSummary[]>;
  /** The runs drawn on the charts. */
  readonly shown: ReadonlySignal<readonly RunSummary[]>;
  readonly feed: ReadonlySignal<FeedState>;
  readonly view: Signal<ViewState>;
  /** Where the reader points, in the unit of the horizontal axis; null is nowhere. */
  readonly cursor: Signal<number | null>;
  /** The horizontal stretch that the reader zoomed to; null is everything. */
  readonly zoom: Signal<Domain | null>;
  /** The horizontal axis of every chart: its scale, all there is to see, and what is in view. */
  readonly xScale: ReadonlySignal<Scale>;
  readonly fullDomain: ReadonlySignal<Domain>;
  readonly xDomain: ReadonlySignal<Domain>;
  readonly highlighted: Signal<string | null>;
  readonly themeChoice: Signal<ThemeChoice>;
  readonly theme: ReadonlySignal<Theme>;
  colourOf(runId: string): string;
  change(change: Partial<ViewState>): void;
  /** The address of a view that differs from this one as given. */
  linkTo(change: Partial<ViewState>): string;
  /** As `change`, with an entry in the browser's history: another page. */
  visit(change: Partial<ViewState>): void;
  /** Charts what was computed of a run beside what was measured. */
  derive(runId: string, key: string, data: SeriesData | null): void;
  setTags(runId: string, tags: readonly string[]): Promise<void>;
  retryNow(): void;
}

const themeKey = "sedge/theme";

export function startPage(): Page {
  const base = new URL("api/v1/", document.baseURI);
  const client = createClient(base);
  const data = new RunData(chartedKeys);
  const records = new RunRecords(client);
  const probeSpectra = new RunRecords(client, { kinds: ["spectrum/ntk"] });
  const frame = signal(0);
  const runs = signal<readonly RunSummary[]>([]);
  const feed = signal<FeedState>({ connection: { kind: "connecting" }, listed: false, loading: 0, error: null });
  const view = signal(fromQuery(location.search));
  const cursor = signal<number | null>(null);
  const zoom = signal<Domain | null>(null);

  let scheduled = false;
  /** Redrawing for new data takes at most half of the time, so that the page answers while a hundred runs arrive. */
  let readyAt = 0;
  const onData = () => {
    if (scheduled) return;
    scheduled = true;
    const draw = () => {
      const start = performance.now();
      scheduled = false;
      batch(() => {
        runs.value = data.runs();
        frame.value++;
      });
      // A task later everything has been painted.
      setTimeout(() => (readyAt = 2 * performance.now() - start));
    };
    const wait = readyAt - performance.now();
    if (wait > 16) setTimeout(() => nextFrame(draw), wait);
    else nextFrame(draw);
  };

  const connection = startFeed({
    client,
    eventsUrl: new URL("events", base),
    data,
    keys: chartedKeys,
    glanceKeys,
    onData,
    onState: (state) => (feed.value = state),
    onRecorded(runId) {
      for (const list of [records, probeSpectra]) {
        if (runId === null) list.clear();
        else list.refresh(runId);
      }
    },
  });
  const retryNow = () => connection.retryNow();
  addEventListener("online", retryNow);

  const addressOf = (state: ViewState) => {
    const query = toQuery(state);
    return query === "" ? location.pathname : `?${query}`;
  };
  effect(() => history.replaceState(null, "", addressOf(view.value)));
  addEventListener("popstate", () => {
    batch(() => {
      zoom.value = cursor.value = null;
      view.value = fromQuery(location.search);
    });
  });

  const themeChoice = signal<ThemeChoice>(storedTheme());
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const systemTheme = signal<Theme>(prefersDark.matches ? "dark" : "light");
  prefersDark.addEventListener("change", ({ matches }) => (systemTheme.value = matches ? "dark" : "light"));
  const theme = computed(() => (themeChoice.value === "system" ? systemTheme.value : themeChoice.value));
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
    storeTheme(themeChoice.value);
  });

  const shown = computed(() => {
    const { view: name, run, selection } = view.value;
    return runs.value.filter(({ id }) => (name === "run" ? id === run : isSelected(selection, id)));
  });
  const xScale = computed(() => xScaleOf(view.value, shown.value));
  const full = computed<Domain>(() => {
    void frame.value; // the data have changed
    return padded(xScale.value, fullDomain(data, shown.value, chartedKeys, view.value.x), 0.012);
  });

  // A run keeps the colour it was first given, also when an older one is deleted or turns up late.
  const colours = new Map<string, number>();
  effect(() => {
    for (const { id } of runs.value) if (!colours.has(id)) colours.set(id, colours.size);
  });
  return {
    data,
    records,
    probeSpectra,
    frame,
    runs,
    shown,
    feed,
    view,
    cursor,
    zoom,
    xScale,
    fullDomain: full,
    xDomain: computed(() => zoom.value ?? full.value),
    highlighted: signal<string | null>(null),
    themeChoice,
    theme,
    colourOf: (runId) => runColour(colours.get(runId) ?? 0, theme.value),
    change(change) {
      batch(() => {
        // Another horizontal axis has another unit: what was zoomed to means nothing there.
        if (change.x !== undefined && change.x !== view.value.x) zoom.value = cursor.value = null;
        view.value = { ...view.value, ...change };
      });
    },
    linkTo: (change) => addressOf({ ...view.value, ...change }),
    visit(change) {
      const next = { ...view.value, ...change };
      history.pushState(null, "", addressOf(next));
      batch(() => {
        zoom.value = cursor.value = null;
        view.value = next;
      });
      scrollTo(0, 0);
    },
    derive(runId, key, series) {
      data.derive(runId, key, series);
      onData();
    },
    async setTags(runId, tags) {
      const kept = await client.setTags(runId, tags);
      const run = data.runs().find(({ id }) => id === runId);
      if (run !== undefined) data.setRun({ ...run, tags: kept });
      onData();
    },
    retryNow,
  };
}

/** An animation frame, or soon where the page is in the background and gets none. */
function nextFrame(job: () => void): void {
  if (document.visibilityState === "hidden") setTimeout(job, 250);
  else requestAnimationFrame(job);
}

function storedTheme(): ThemeChoice {
  try {
    const stored = localStorage.getItem(themeKey);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system"; // storage is switched off
  }
}

function storeTheme(choice: ThemeChoice): void {
  try {
    if (choice === "system") localStorage.removeItem(themeKey);
    else localStorage.setItem(themeKey, choice);
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
}

export const PageContext = createContext<Page | null>(null);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error("usePage: there is no PageContext above this component.");
  return page;
}
