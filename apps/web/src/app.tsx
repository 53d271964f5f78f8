import type { ComponentChildren } from "preact";
import { ChartPanel } from "./charts/ChartPanel.js";
import { accuracyChart, edgesChart, lossChart, sharpnessChart, sharpnessRatioChart } from "./charts/measures.js";
import { RunList } from "./runs/RunList.js";
import { Verdicts } from "./runs/Verdicts.js";
import { Banner, Header } from "./ui/Header.js";
import { Later } from "./ui/Later.js";
import { Segmented } from "./ui/Segmented.js";
import { Toolbar } from "./ui/Toolbar.js";
import { PageContext, usePage, type Page } from "./view/page.js";

export function App({ page }: { readonly page: Page }) {
  return (
    <PageContext.Provider value={page}>
      <a class="skip-link" href="#charts">
        Skip to the content
      </a>
      <Header />
      <Banner />
      <Body />
    </PageContext.Provider>
  );
}

function Body() {
  const page = usePage();
  const { listed, error, connection } = page.feed.value;
  if (!listed) {
    return error === null && connection.kind !== "waiting" ? (
      <Loading />
    ) : (
      <Message title="The server does not answer">
        <p>
          This page shows what <code>npx sedge serve</code> has in its store. It keeps trying, and fills in by itself
          once the server is back.
        </p>
      </Message>
    );
  }
  if (page.runs.value.length === 0) {
    return (
      <Message title="No runs yet">
        <p>Train one in the folder that this server serves, and it appears here while it trains:</p>
        <pre>
          <code>npx sedge train mnist-fcn --learning-rate 0.01 --batch-size 8</code>
        </pre>
      </Message>
    );
  }
  switch (page.view.value.view) {
    case "table":
      return <Later key="table" load={table} />;
    case "compare":
      return <Later key="compare" load={compare} />;
    case "phases":
      return <Later key="phases" load={phases} />;
    case "run":
      return <Later key="run" load={run} />;
    case "charts":
      return <Charts />;
  }
}

const table = async () => (await import("./table/RunTable.js")).RunTable;
const compare = async () => (await import("./compare/ComparePage.js")).ComparePage;
const phases = async () => (await import("./phases/PhasesPage.js")).PhasesPage;
const run = async () => (await import("./run/RunPage.js")).RunPage;

function Charts() {
  const page = usePage();
  return (
    <div class="layout">
      <RunList />
      <main id="charts" tabIndex={-1}>
        <Verdicts />
        <Toolbar />
        {page.shown.value.length === 0 ? (
          <p class="nothing">No run is selected. Tick one in the list.</p>
        ) : (
          <div class="charts">
            <ChartPanel definition={edgesChart} />
            <ChartPanel definition={lossChart} />
            <SharpnessPanel />
            <ChartPanel definition={accuracyChart} />
          </div>
        )}
        <p id="chart-keys" class="hint">
          Drag to zoom, shift-drag to move, ctrl-wheel to zoom about the pointer, double-click for the whole range. On a
          focused chart: ← → read values, + − zoom, shift ← → move, 0 whole range, Esc leave.
        </p>
      </main>
    </div>
  );
}

const sharpnessViews = [
  { value: "curvature", label: "λ_max" },
  { value: "ratio", label: "λ_max·η/2" },
] as const;

function SharpnessPanel() {
  const page = usePage();
  const { sharpness } = page.view.value;
  const definition = sharpness === "ratio" ? sharpnessRatioChart : sharpnessChart;
  return (
    <ChartPanel key={sharpness} definition={definition}>
      <Segmented
        label="Sharpness as"
        options={sharpnessViews}
        value={sharpness}
        onChange={(choice) => page.change({ sharpness: choice })}
      />
    </ChartPanel>
  );
}

function Loading() {
  return (
    <main id="charts" class="layout loading" aria-busy="true" aria-label="Loading runs">
      <div class="runs">
        {[0, 1, 2].map((i) => (
          <div key={i} class="skeleton skeleton-run" />
        ))}
      </div>
      <div class="charts">
        {[0, 1, 2, 3].map((i) => (
          <div key={i} class="skeleton skeleton-chart" />
        ))}
      </div>
    </main>
  );
}

function Message({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <main id="charts" class="message" tabIndex={-1}>
      <h2>{title}</h2>
      {children}
    </main>
  );
}
