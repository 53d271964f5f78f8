import type { ReadonlySignal } from "@preact/signals";
import { LineSample } from "../ui/icons.js";
import { MathText } from "../ui/MathText.js";
import { usePage } from "../view/page.js";
import { describeX } from "./axis-text.js";
import type { LegendLine } from "./content.js";
import { readingAt } from "./legend.js";
import { shownMeasures, type ChartDefinition } from "./measures.js";

/** So many runs are listed under a chart; of more, those nearest to the pointer. */
const mostRows = 6;

interface ChartLegendProps {
  readonly definition: ChartDefinition;
  readonly lines: ReadonlySignal<readonly LegendLine[]>;
  readonly pointerTop: ReadonlySignal<number | null>;
  readonly positionOf: (line: LegendLine) => number | null;
}

/** Runs by measures, with the values at the cursor, or the newest. The head switches measures on and off. */
export function ChartLegend({ definition, lines, pointerTop, positionOf }: ChartLegendProps) {
  const page = usePage();
  const { measures: switched, x: xAxis } = page.view.value;
  const runs = page.shown.value;
  const shown = new Set(shownMeasures(definition, switched, runs.length).map(({ id }) => id));
  const cursor = page.cursor.value;
  const measures = definition.measures.filter(
    ({ isRare, key }) => isRare !== true || runs.some(({ id }) => page.data.series(id, key) !== undefined),
  );

  const byRun = new Map<string, LegendLine[]>();
  for (const line of lines.value) {
    const known = byRun.get(line.run.id);
    if (known === undefined) byRun.set(line.run.id, [line]);
    else known.push(line);
  }
  let rows = runs.filter(({ id }) => byRun.has(id)).reverse(); // newest first, as in the list
  const left = rows.length - mostRows;
  const top = pointerTop.value;
  if (left > 0 && top !== null) {
    const away = new Map(rows.map(({ id }) => [id, Math.abs((positionOf(byRun.get(id)![0]!) ?? Infinity) - top)]));
    rows.sort((a, b) => away.get(a.id)! - away.get(b.id)!);
  }
  rows = rows.slice(0, mostRows);

  return (
    <div class="legend">
      <table>
        <caption class="visually-hidden">{definition.title}: values by run</caption>
        <thead>
          <tr>
            <th scope="col" class="legend-where">
              {cursor === null ? "latest" : describeX(xAxis, cursor)}
            </th>
            {measures.map(({ id, label, title, dash, width }) => (
              <th scope="col" key={id}>
                <button
                  type="button"
                  class="measure"
                  aria-pressed={shown.has(id)}
                  title={title}
                  onClick={() => page.change({ measures: new Map(switched).set(id, !shown.has(id)) })}
                >
                  <LineSample dash={dash} width={width} />
                  <MathText text={label} />
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((run) => (
            <tr
              key={run.id}
              onMouseEnter={() => (page.highlighted.value = run.id)}
              onMouseLeave={() => (page.highlighted.value = null)}
            >
              <th scope="row">
                <span class="swatch" style={{ background: page.colourOf(run.id) }} />
                <span class="legend-name">{run.name}</span>
              </th>
              {measures.map((measure) => {
                const line = byRun.get(run.id)?.find((candidate) => candidate.measure === measure);
                const reading = line === undefined ? null : readingAt(line, cursor);
                return (
                  <td key={measure.id}>{reading === null ? "" : definition.format(reading.value, reading.error)}</td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && <p class="legend-rest">and {left} more</p>}
    </div>
  );
}
