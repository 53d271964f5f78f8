import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ChartPanel } from "../charts/ChartPanel.js";
import {
  accuracyChart,
  controlChart,
  edgesChart,
  predictedLossKey,
  ratesChart,
  runLossChart,
} from "../charts/measures.js";
import { formatAge } from "../format/age.js";
import { formatCount, formatDuration, formatSetting } from "../format/number.js";
import { TagEditor } from "../runs/Tags.js";
import { Gauge } from "../runs/Gauge.js";
import { Link } from "../ui/Link.js";
import { MathText } from "../ui/MathText.js";
import { Notice } from "../ui/Notice.js";
import { StatusIcon } from "../ui/icons.js";
import { Toolbar } from "../ui/Toolbar.js";
import { usePage } from "../view/page.js";
import type { RunRecord, RunSummary } from "../api/types.js";
import { predictedLoss } from "../theory/predicted.js";
import { AdvicePanel } from "./AdvicePanel.js";
import { AttributionPanel } from "./AttributionPanel.js";
import { ControlPanel } from "./ControlPanel.js";
import { ExamplesPanel } from "./ExamplesPanel.js";
import { ProbeSlider } from "./ProbeSlider.js";
import { SpectrumPanel } from "./SpectrumPanel.js";
import { TheoryPanel } from "./TheoryPanel.js";

/** Everything that is known of one run. */
export function RunPage() {
  const page = usePage();
  const { run: id } = page.view.value;
  const run = page.runs.value.find((one) => one.id === id);
  if (run === undefined) {
    return (
      <main id="charts" class="run-view" tabIndex={-1}>
        <Notice title="There is no such run in this store.">
          <p>
            It may have been deleted, or the link is of another store.{" "}
            <Link to={{ view: "table", run: "" }}>All runs</Link>
          </p>
        </Notice>
      </main>
    );
  }
  return <KnownRun key={id} run={run} />;
}

function KnownRun({ run }: { readonly run: RunSummary }) {
  const page = usePage();
  const state = page.records.of(run.id).value;
  /** The step whose probe is shown; infinite is the latest. */
  const step = useSignal(Infinity);
  const measured = (prefix: string) => Object.keys(run.latest).some((key) => key.startsWith(prefix));
  const probes = { run, records: state.records, step: step.value, status: state.status };
  const predictedFrom = usePredictedLoss(run, state.records, step.value);
  return (
    <main id="charts" class="run-view" tabIndex={-1}>
      <Head run={run} />
      {state.status === "failed" && (
        <div class="problem" role="alert">
          What the run recorded beside its metrics could not be read. {state.error}{" "}
          <button type="button" onClick={() => page.records.refresh(run.id)}>
            Try again
          </button>
        </div>
      )}
      <div class="run-top">
        <AdvicePanel {...probes} />
        <TheoryPanel {...probes} />
      </div>
      <Toolbar />
      <div class="charts">
        <ChartPanel definition={edgesChart} />
        <ChartPanel
          definition={runLossChart}
          note={
            predictedFrom === null
              ? undefined
              : `mean over the examples; finely dashed: theory, linearised at step ${formatCount(predictedFrom)}`
          }
        />
        {measured("control/") && <ChartPanel definition={controlChart} />}
        {measured("learningRate") && <ChartPanel definition={ratesChart} />}
        {measured("accuracy/") && <ChartPanel definition={accuracyChart} />}
      </div>
      <ControlPanel {...probes} />
      <ProbeSlider {...probes} onChange={(value) => (step.value = value)} />
      <div class="charts" aria-busy={state.status === "loading"}>
        <SpectrumPanel {...probes} />
        <AttributionPanel {...probes} />
      </div>
      <ExamplesPanel {...probes} />
    </main>
  );
}

/** Puts theory's loss curve beside the measured one. @returns the step at which the run is linearised; null where it is not. */
function usePredictedLoss(run: RunSummary, records: readonly RunRecord[], at: number): number | null {
  const page = usePage();
  const loss = page.data.series(run.id, "loss/train");
  // Once more when the measured loss has come, not at every point of it.
  const isMeasured = (loss?.length ?? 0) > 0;
  const predicted = useMemo(() => predictedLoss(run, records, loss, at), [run.id, run.status, records, isMeasured, at]);
  useEffect(() => page.derive(run.id, predictedLossKey, predicted?.series ?? null), [predicted]);
  return predicted?.step ?? null;
}

function Head({ run }: { readonly run: RunSummary }) {
  const page = usePage();
  const { name, status, startedAt, finishedAt, step, steps, config, model, verdict, message } = run;
  const seconds = ((finishedAt ?? Date.now()) - startedAt) / 1000;
  const facts: readonly (readonly [term: string, value: string])[] = [
    ["η", formatSetting(Number((run.latest["learningRate"] ?? config.learningRate ?? NaN).toPrecision(4)))],
    ["B", formatCount(run.latest["batchSize"] ?? config.batchSize ?? NaN)],
    ["momentum", formatSetting(config.momentum ?? 0)],
    ["training examples", formatCount(config.data?.examples ?? NaN)],
    ["step", status === "finished" ? formatCount(step) : `${formatCount(step)} / ${formatCount(steps)}`],
    ["model", model.description === "" ? "–" : model.description],
    ["parameters", formatCount(model.paramCount)],
    ["started", formatAge(startedAt, Date.now())],
    ["took", formatDuration(Math.max(0, seconds))],
  ];
  return (
    <header class="run-head">
      <p class="crumbs">
        <Link to={{ view: "table", run: "" }}>Runs</Link> <span aria-hidden="true">/</span>
      </p>
      <div class="run-headline">
        <span class="swatch" style={{ background: page.colourOf(run.id) }} />
        <h2>{name}</h2>
        <span class="status" data-status={status}>
          <StatusIcon status={status} />
          {status}
        </span>
        <TagEditor runs={[run]} of="this run" />
      </div>
      {verdict !== null && (
        <p class="run-verdict" data-state={verdict.state}>
          <MathText text={verdict.text} />
        </p>
      )}
      {message !== null && message !== verdict?.text && <p class="subtitle">{message}</p>}
      <Gauge run={run} colour={page.colourOf(run.id)} />
      <dl class="run-facts">
        {facts.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </header>
  );
}
