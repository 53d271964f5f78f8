import { useComputed, useSignal } from "@preact/signals";
import type { RunSummary } from "../api/types.js";
import { sharpnessEdge } from "../charts/measures.js";
import { FigurePanel } from "../figures/FigurePanel.js";
import { formatCount, formatEstimate, formatSetting, formatValue } from "../format/number.js";
import { scaledKernel, type ScaledKernel } from "../theory/critical.js";
import { probedOf } from "../theory/probed.js";
import { Link } from "../ui/Link.js";
import { MathText } from "../ui/MathText.js";
import { Notice } from "../ui/Notice.js";
import { Segmented } from "../ui/Segmented.js";
import { usePage, type Page } from "../view/page.js";
import type { ColourBy, TheoryFrom } from "../view/view-state.js";
import { batchGrid, deterministicCurve, stochasticCurve } from "./curves.js";
import { marksOf, sweepsOf, type Mark } from "./marks.js";
import { outcomes } from "./outcome.js";
import { PhaseDiagram } from "./PhaseDiagram.js";

const colourings: readonly { readonly value: ColourBy; readonly label: string }[] = [
  { value: "outcome", label: "Outcome" },
  { value: "kernel", label: "K" },
  { value: "loss", label: "Loss" },
];
const probes: readonly { readonly value: TheoryFrom; readonly label: string }[] = [
  { value: "first", label: "First" },
  { value: "last", label: "Last" },
];
/** So many runs' probes are read for the curves, spread over the sweep. */
const mostProbes = 12;

/** Learning rate against batch size: where runs of a sweep came out, and where theory puts the edges. */
export function PhasesPage() {
  const page = usePage();
  const { sweep, colourBy, theoryFrom } = page.view.value;
  const pointed = useSignal<string | null>(null);
  const sweeps = sweepsOf(page.runs.value);
  const marks = useComputed(() => marksOf(runsOf(page))).value;
  const theory = useComputed(() => theoryOf(page)).value;
  const mark = marks.find(({ run }) => run.id === pointed.value) ?? null;
  return (
    <main id="charts" class="phases-view" tabIndex={-1}>
      <header class="view-head">
        <h2>Phases</h2>
        <p class="subtitle" role="status">
          {marks.length} runs by learning rate and batch size
        </p>
        <label class="field">
          Runs of
          <select value={sweep} onChange={(event) => page.change({ sweep: event.currentTarget.value })}>
            <option value="">every run</option>
            {sweeps.map((name) => (
              <option key={name} value={name}>
                sweep {name}
              </option>
            ))}
            {sweep !== "" && !sweeps.includes(sweep) && <option value={sweep}>sweep {sweep} (no runs)</option>}
          </select>
        </label>
      </header>
      {marks.length === 0 ? (
        <Notice title="No run says at which learning rate and batch size it was trained.">
          <p>
            A sweep fills this diagram: <code>npx sedge sweep sweep.yaml</code>
          </p>
        </Notice>
      ) : (
        <FigurePanel
          id="phases"
          title="Learning rate and batch size"
          subtitle="each mark a run; beyond either curve theory expects SGD not to converge"
          controls={
            <>
              <Segmented
                label="Colour runs by"
                options={colourings}
                value={colourBy}
                onChange={(value) => page.change({ colourBy: value })}
              />
              <span class="field">
                Probe
                <Segmented
                  label="Theory from each run's probe"
                  options={probes}
                  value={theoryFrom}
                  onChange={(value) => page.change({ theoryFrom: value })}
                />
              </span>
            </>
          }
          csv={() => csvOf(marks)}
          draw={(width, ink) => (
            <PhaseDiagram
              marks={marks}
              stochastic={theory.stochastic}
              deterministic={theory.deterministic}
              colourBy={colourBy}
              width={width}
              ink={ink}
              theme={page.theme.value}
              pointed={pointed.value}
              onPoint={(id) => (pointed.value = id)}
              onOpen={(id) => page.visit({ view: "run", run: id })}
            />
          )}
        >
          <p class="figure-note" role="status">
            {mark === null ? (
              theory.words
            ) : (
              <>
                <Link to={{ view: "run", run: mark.run.id }}>{mark.run.name}</Link>: <MathText text={describe(mark)} />
              </>
            )}
          </p>
        </FigurePanel>
      )}
      <p class="hint">On the focused diagram: arrow keys go from run to run, Enter opens one.</p>
    </main>
  );
}

function runsOf(page: Page): readonly RunSummary[] {
  const { sweep } = page.view.value;
  return sweep === "" ? page.runs.value : page.runs.value.filter(({ tags }) => tags.includes(`sweep:${sweep}`));
}

function theoryOf(page: Page) {
  void page.frame.value; // the data have changed
  const { theoryFrom } = page.view.value;
  const runs = runsOf(page);
  const sizes = runs.map(({ config }) => config.batchSize ?? NaN).filter((size) => size > 0);
  const grid = sizes.length === 0 ? [] : batchGrid(Math.min(...sizes) / 2, Math.max(...sizes) * 2);
  const measured = runs.filter(({ latest }) => latest["noiseKernel/exact"] !== undefined);
  const every = Math.max(1, Math.ceil(measured.length / mostProbes));
  const kernels: ScaledKernel[] = [];
  let loading = 0;
  let problem: string | null = null;
  for (const run of measured.filter((_, i) => i % every === 0)) {
    const { records, status, error } = page.probeSpectra.of(run.id).value;
    if (status === "loading") loading++;
    problem ??= error;
    const probed = probedOf(run, records, page.data.series(run.id, "noiseKernel/exact"), theoryFrom);
    const kernel = probed === null ? null : scaledKernel(probed);
    if (kernel !== null) kernels.push(kernel);
  }
  const edges = runs.map((run) => {
    const sharpness = page.data.series(run.id, "sharpness")?.values ?? new Float64Array();
    const values = sharpness.filter((value) => value > 0 && value < Infinity);
    const lambdaMax = (theoryFrom === "first" ? values[0] : values.at(-1)) ?? NaN;
    // 2(1+m)/λ_max, from the run's own edge 2(1+m)/η.
    return (sharpnessEdge(run) * (run.config.learningRate ?? NaN)) / lambdaMax;
  });
  const stochastic = stochasticCurve(kernels, grid);
  const words =
    stochastic !== null
      ? `K = 1 from ${stochastic.probes === 1 ? "one run’s" : `${stochastic.probes} runs’`} ${theoryFrom} probe: median, and the range between runs.`
      : loading > 0
        ? "Reading the runs’ probes …"
        : problem !== null
          ? `The runs’ probes could not be read. ${problem}`
          : "No run has recorded the spectrum that the curve K = 1 is made from.";
  return { stochastic, deterministic: deterministicCurve(edges, grid), words };
}

function describe({ run, learningRate, batchSize, outcome }: Mark): string {
  const kernel = formatEstimate(
    run.latest["noiseKernel/exact"] ?? NaN,
    run.latest["noiseKernel/exact/standardError"] ?? NaN,
  );
  const parts = [
    `η = ${formatSetting(learningRate)}`,
    `B = ${formatCount(batchSize)}`,
    outcomes[outcome],
    `K = ${kernel.value}${kernel.error === null ? "" : ` ± ${kernel.error}`}`,
    `λ_max·η/2 = ${formatValue(run.latest["edge/deterministic"] ?? NaN, 2)}`,
    `loss ${formatValue(run.latest["loss/train"] ?? NaN)}`,
  ];
  return parts.join(", ");
}

function csvOf(marks: readonly Mark[]): string {
  const rows = marks.map(({ run, learningRate, batchSize, outcome }) =>
    [
      `"${run.name.replaceAll('"', '""')}"`,
      run.id,
      learningRate,
      batchSize,
      outcome,
      run.latest["noiseKernel/exact"] ?? "",
      run.latest["edge/deterministic"] ?? "",
      run.latest["loss/train"] ?? "",
    ].join(","),
  );
  return ["run,run_id,learning_rate,batch_size,outcome,noise_kernel,deterministic_ratio,loss_train", ...rows, ""].join(
    "\r\n",
  );
}
