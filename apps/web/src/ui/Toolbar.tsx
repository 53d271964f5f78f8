import { usePage } from "../view/page.js";
import type { XAxis } from "../view/view-state.js";
import { Segmented } from "./Segmented.js";

const axes: readonly { readonly value: XAxis; readonly label: string }[] = [
  { value: "step", label: "Step" },
  { value: "epoch", label: "Epoch" },
  { value: "time", label: "Time" },
  { value: "training-time", label: "η · step" },
];

/** What all charts share: the horizontal axis, smoothing, zoom. */
export function Toolbar() {
  const page = usePage();
  const { x, xLog, smoothing } = page.view.value;
  return (
    <div class="toolbar" role="group" aria-label="All charts">
      <span class="toolbar-label" aria-hidden="true">
        Horizontal axis
      </span>
      <Segmented label="Horizontal axis" options={axes} value={x} onChange={(axis) => page.change({ x: axis })} />
      <button
        type="button"
        class="toggle"
        aria-pressed={xLog}
        title="Logarithmic horizontal axis"
        onClick={() => page.change({ xLog: !xLog })}
      >
        log
      </button>
      <label class="smoothing">
        Smoothing
        <input
          type="range"
          min="0"
          max="0.95"
          step="0.05"
          value={smoothing}
          onInput={(event) => page.change({ smoothing: Number(event.currentTarget.value) })}
        />
        <output>{smoothing.toFixed(2)}</output>
      </label>
      <button type="button" disabled={page.zoom.value === null} onClick={() => (page.zoom.value = null)}>
        Show whole range
      </button>
    </div>
  );
}
