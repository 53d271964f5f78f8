import type { ComponentChildren } from "preact";
import {
  formatCount,
  formatDuration,
  formatEstimate,
  formatSetting,
  formatShare,
  formatValue,
} from "../format/number.js";
import { MathText } from "../ui/MathText.js";
import { Segmented } from "../ui/Segmented.js";
import type { Lab } from "./lab.js";
import { defaults, largestBatch, placeOf, placesPerDecade, ranges, rateAt } from "./settings.js";
import { standing } from "./standing.js";

const models = [
  { value: "mlp", label: "MLP" },
  { value: "linear", label: "Linear" },
] as const;

/** What the reader sets, and where that leaves the model. */
export function Controls({ lab }: { readonly lab: Lab }) {
  const settings = lab.settings.value;
  const { low, high } = ranges[settings.model];
  const phase = lab.phase.value;
  return (
    <section class="panel controls-panel" aria-label="Experiment">
      <div class="row">
        <Segmented
          label="Model"
          options={models}
          value={settings.model}
          onChange={(model) => lab.open({ ...defaults[model], seed: settings.seed })}
        />
        <span class="hint">{describe(lab)}</span>
      </div>

      <Slider
        id="learning-rate"
        label="learning rate η"
        value={formatSetting(settings.learningRate)}
        place={placeOf(settings.learningRate, low)}
        last={placeOf(high, low)}
        step={placesPerDecade / 20}
        onPlace={(place) => lab.change({ learningRate: rateAt(place, low) })}
      />
      <Slider
        id="batch-size"
        label="batch size B"
        value={String(settings.batchSize)}
        place={Math.log2(settings.batchSize)}
        last={Math.log2(largestBatch)}
        step={1}
        onPlace={(place) => lab.change({ batchSize: 2 ** place })}
      />

      <div class="row buttons">
        <button
          type="button"
          class="primary"
          disabled={phase === "loading" || phase === "failed" || phase === "diverged"}
          onClick={() => lab.run(phase !== "training")}
        >
          {phase === "training" ? "Pause" : "Train"}
        </button>
        <button type="button" disabled={phase === "loading"} onClick={() => lab.open(settings)}>
          Start over
        </button>
        <button
          type="button"
          disabled={phase === "loading"}
          onClick={() => lab.open({ ...settings, seed: settings.seed + 1 })}
        >
          Other weights
        </button>
        <button
          type="button"
          disabled={lab.about.value === null || phase === "loading"}
          onClick={() => lab.saveWeights()}
        >
          Save weights
        </button>
      </div>
      <Readings lab={lab} />
    </section>
  );
}

function describe({ about }: Lab): string {
  const known = about.value;
  if (known === null) return "";
  return `${formatCount(known.paramCount)} parameters, ${known.examples} MNIST images, squared loss`;
}

interface SliderProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly place: number;
  readonly last: number;
  readonly step: number;
  readonly onPlace: (place: number) => void;
}

function Slider({ id, label, value, place, last, step, onPlace }: SliderProps) {
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{value}</output>
      <input
        id={id}
        type="range"
        min={0}
        max={last}
        step={step}
        value={place}
        aria-valuetext={value}
        onInput={(event) => onPlace(Number(event.currentTarget.value))}
      />
    </div>
  );
}

function Readings({ lab }: { readonly lab: Lab }) {
  const phase = lab.phase.value;
  const kernel = lab.kernels.value.at(-1);
  const sharp = lab.sharpnesses.value.at(-1);
  const loss = lab.losses.value.at(-1);
  const shown = kernel && formatEstimate(kernel.exact, kernel.standardError);
  const judged = phase === "diverged" ? null : standing(kernel, sharp?.ratio);
  const speed = lab.stepsPerSecond.value;
  return (
    <>
      <dl
        class="readings"
        data-phase={phase}
        data-kernel={kernel?.exact}
        data-kernel-step={kernel?.step}
        data-ratio={sharp?.ratio}
        data-loss={loss?.loss}
        data-settled={lab.settled.value}
      >
        <Reading name="K" title="noise kernel norm, exact: 1 on the stochastic edge">
          {shown ? (shown.error === null ? shown.value : `${shown.value} ± ${shown.error}`) : "–"}
        </Reading>
        <Reading name="λ_max·η/2" title="sharpness of the training loss: 1 on the deterministic edge">
          {sharp ? formatValue(sharp.ratio) : "–"}
        </Reading>
        <Reading name="loss" title="mean over the training set">
          {loss ? formatValue(loss.loss) : "–"}
        </Reading>
        <Reading name="accuracy" title="on the training set">
          {loss ? formatShare(loss.accuracy) : "–"}
        </Reading>
        <Reading name="step" title="updates made">
          {formatCount(lab.step.value)}
        </Reading>
        <Reading name="pace" title="wall time of a thousand updates, measurements not counted">
          {Number.isFinite(speed) ? `${formatDuration(1000 / speed)} / 1000` : "–"}
        </Reading>
      </dl>
      <p class="standing" role="status" data-tone={phase === "diverged" || phase === "failed" ? "bad" : judged?.tone}>
        {phase === "loading"
          ? "Loading the engine and the images …"
          : lab.message.value || (judged?.text ?? "Measuring …")}
      </p>
    </>
  );
}

function Reading({ name, title, children }: { name: string; title: string; children: ComponentChildren }) {
  return (
    <div title={title}>
      <dt>
        <MathText text={name} />
      </dt>
      <dd>{children}</dd>
    </div>
  );
}
