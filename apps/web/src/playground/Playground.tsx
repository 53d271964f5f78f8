import { formatEstimate, formatValue } from "../format/number.js";
import { Logo } from "../ui/icons.js";
import { MathText } from "../ui/MathText.js";
import { Segmented } from "../ui/Segmented.js";
import type { Signal } from "@preact/signals";
import { runColours, type Theme } from "../view/palette.js";
import { Controls } from "./Controls.js";
import type { Lab } from "./lab.js";
import { LiveChart } from "./LiveChart.js";
import { PhaseDiagram } from "./PhaseDiagram.js";

const themes = [
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
] as const;

const solid: readonly number[] = [];
const dashDotted: readonly number[] = [9, 3, 1.5, 3];

export function Playground({ lab, theme }: { readonly lab: Lab; readonly theme: Signal<Theme> }) {
  return (
    <>
      <a class="skip-link" href="#experiment">
        Skip to the experiment
      </a>
      <header class="site-head">
        <h1>
          <Logo />
          Sedge playground
        </h1>
        <p class="tagline">
          Train a model in this page and watch how near it is to the two edges where SGD stops converging
        </p>
        <Segmented label="Colours" options={themes} value={theme.value} onChange={(choice) => (theme.value = choice)} />
      </header>
      <main id="experiment" class="playground" tabIndex={-1}>
        <div class="side">
          <Controls lab={lab} />
          <Explanation lab={lab} />
        </div>
        <div class="charts">
          <EdgesChart lab={lab} theme={theme.value} />
          <LossChart lab={lab} theme={theme.value} />
          <PhaseDiagram
            settings={lab.settings.value}
            reading={lab.phases.value}
            onChoose={({ learningRate, batchSize }) =>
              lab.change({ learningRate: Number(learningRate.toPrecision(3)), batchSize })
            }
          />
        </div>
      </main>
    </>
  );
}

function EdgesChart({ lab, theme }: { readonly lab: Lab; readonly theme: Theme }) {
  const [kernels, sharpnesses] = [lab.kernels.value, lab.sharpnesses.value];
  const kernel = kernels.at(-1);
  const colours = runColours[theme];
  const shown = kernel && formatEstimate(kernel.exact, kernel.standardError);
  const readings = [
    shown ? (shown.error === null ? shown.value : `${shown.value} ± ${shown.error}`) : "–",
    kernel ? formatValue(kernel.highDim) : "–",
    sharpnesses.length > 0 ? formatValue(sharpnesses.at(-1)!.ratio) : "–",
  ];
  const steps = kernels.map(({ step }) => step);
  return (
    <LiveChart
      id="edges"
      title="Both edges"
      subtitle="1 is the edge: K of the stochastic one, λ_max·η/2 of the deterministic one"
      axisLabel="distance to the edge (dimensionless)"
      theme={theme}
      yScale={{ kind: "linear" }}
      edge={{ value: 1, label: "both edges" }}
      readings={readings}
      description={`K and λ_max·η/2 against step; now K = ${readings[0]}, λ_max·η/2 = ${readings[2]}`}
      lines={[
        {
          name: "K",
          colour: colours[0]!,
          dash: solid,
          steps,
          values: kernels.map(({ exact }) => exact),
          errors: kernels.map(({ standardError }) => standardError),
        },
        {
          name: "K, high-dim.",
          colour: colours[2]!,
          dash: [2, 3],
          steps,
          values: kernels.map(({ highDim }) => highDim),
        },
        {
          name: "λ_max·η/2",
          colour: colours[1]!,
          dash: dashDotted,
          steps: sharpnesses.map(({ step }) => step),
          values: sharpnesses.map(({ ratio }) => ratio),
        },
      ]}
    />
  );
}

function LossChart({ lab, theme }: { readonly lab: Lab; readonly theme: Theme }) {
  const losses = lab.losses.value;
  const last = losses.at(-1);
  const reading = last ? formatValue(last.loss) : "–";
  return (
    <LiveChart
      id="loss"
      title="Loss"
      subtitle="½‖f − y‖², mean over the training set, logarithmic"
      axisLabel="loss (dimensionless)"
      theme={theme}
      yScale={{ kind: "log" }}
      readings={[reading]}
      description={`Training loss against step; now ${reading}`}
      lines={[
        {
          name: "train",
          colour: runColours[theme][0]!,
          dash: solid,
          steps: losses.map(({ step }) => step),
          values: losses.map(({ loss }) => loss),
        },
      ]}
    />
  );
}

function Explanation({ lab }: { readonly lab: Lab }) {
  const isLinear = lab.settings.value.model === "linear";
  return (
    <section class="explanation" aria-label="What you see">
      <p>
        <strong>K</strong> is the norm of the noise kernel: how much of its own minibatch noise SGD feeds back into the
        loss. Below 1 the noise dies away, above 1 it grows.{" "}
        <strong>
          <MathText text="λ_max·η/2" />
        </strong>{" "}
        is the same question for gradient descent without noise: above 1 it overshoots.
      </p>
      <p>
        {isLinear
          ? "A linear model cannot change its curvature, so the thresholds of the phase diagram stand still, as exact as the probe is large: cross K = 1 and the loss grows."
          : "A network can: too large a learning rate drives it to flatter ground, until K settles at 1. Train, then move η and watch K return."}
      </p>
      <p class="hint">
        K comes from a probe of 32 images (± one standard error), λ_max from all 1000. Everything is computed in this
        page; nothing leaves it.
      </p>
    </section>
  );
}
