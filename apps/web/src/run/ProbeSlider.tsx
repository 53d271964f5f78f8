import { formatCount } from "../format/number.js";
import type { ProbeProps } from "./probe-props.js";

const kinds = new Set(["spectrum/ntk", "spectrum/hessian", "attribution", "examples"]);

/** Which of the run's probes the panels below show. */
export function ProbeSlider({ records, step, onChange }: ProbeProps & { readonly onChange: (step: number) => void }) {
  const steps = [...new Set(records.filter(({ kind }) => kinds.has(kind)).map((record) => record.step))];
  if (steps.length < 2) return null;
  const last = steps.length - 1;
  let place = last;
  while (place > 0 && steps[place]! > step) place--;
  return (
    <div class="probe-slider">
      <label>
        Probe
        <input
          type="range"
          min="0"
          max={last}
          step="1"
          value={place}
          aria-valuetext={`probe at step ${formatCount(steps[place]!)}`}
          onInput={(event) => {
            const chosen = Number(event.currentTarget.value);
            onChange(chosen === last ? Infinity : steps[chosen]!);
          }}
        />
        <output>
          step {formatCount(steps[place]!)}
          {place === last && " (latest)"}
        </output>
      </label>
    </div>
  );
}
