import { useSignal } from "@preact/signals";
import { formatCount, formatSetting, formatValue } from "../format/number.js";
import { MathText } from "../ui/MathText.js";
import type { ProbeProps } from "./probe-props.js";
import { decision, recordsOf } from "./record-data.js";

const firstRows = 8;

const times = (count: number) => (count === 1 ? "once" : `${formatCount(count)} times`);

/** What the controller did, newest first; that it left everything as it was is no event. */
export function ControlPanel({ records }: ProbeProps) {
  const unfolded = useSignal(false);
  const decisions = recordsOf(records, "control", decision);
  if (decisions.length === 0) return null;
  const acted = decisions.filter(({ action }) => action !== "hold").reverse();
  const rows = unfolded.value ? acted : acted.slice(0, firstRows);
  return (
    <section class="panel text-panel" aria-labelledby="title-control-events" data-figure="control-events">
      <h2 id="title-control-events">Controller</h2>
      <p class="subtitle" role="status">
        asked {times(decisions.length)}, acted {times(acted.length)}
      </p>
      {acted.length === 0 ? (
        <p>It has left the settings as they were.</p>
      ) : (
        <div class="table-scroll" role="region" aria-label="Controller events" tabIndex={0}>
          <table class="plain-table">
            <caption class="visually-hidden">What the controller did, newest first</caption>
            <thead>
              <tr>
                <th scope="col" class="number">
                  step
                </th>
                <th scope="col">action</th>
                <th scope="col" class="number">
                  K
                </th>
                <th scope="col" class="number">
                  target
                </th>
                <th scope="col">change</th>
                <th scope="col">reason</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ step, action, kernel, target, before, after, reason }) => (
                <tr key={step}>
                  <td class="number">{formatCount(step)}</td>
                  <td>
                    <span class="chip">{action}</span>
                  </td>
                  <td class="number">{formatValue(kernel, 2)}</td>
                  <td class="number">{formatValue(target, 2)}</td>
                  <td class="change">
                    {before.learningRate !== after.learningRate &&
                      `η ${formatSetting(Number(before.learningRate.toPrecision(3)))} → ${formatSetting(Number(after.learningRate.toPrecision(3)))} `}
                    {before.batchSize !== after.batchSize &&
                      `B ${formatCount(before.batchSize)} → ${formatCount(after.batchSize)}`}
                  </td>
                  <td class="reason">
                    <MathText text={reason} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {acted.length > firstRows && (
        <button type="button" onClick={() => (unfolded.value = !unfolded.value)}>
          {unfolded.value ? `Show the newest ${firstRows}` : `Show all ${acted.length}`}
        </button>
      )}
    </section>
  );
}
