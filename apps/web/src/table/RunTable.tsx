import { useComputed, useSignal } from "@preact/signals";
import { useCallback } from "preact/hooks";
import { matchesFilter } from "../runs/filter.js";
import { TagEditor } from "../runs/Tags.js";
import { Link } from "../ui/Link.js";
import { MathText } from "../ui/MathText.js";
import { Notice } from "../ui/Notice.js";
import { usePage } from "../view/page.js";
import { isSelected, toggled } from "../view/selection.js";
import { columns, sortedRuns, type Column } from "./columns.js";
import { TableRow } from "./TableRow.js";

/** So many rows are laid out at once; the rest when asked for. */
const firstRows = 200;

/** Every run in a table: search, sort by any column, tag, pick what the charts and comparisons show. */
export function RunTable() {
  const page = usePage();
  const unfolded = useSignal(false);
  const { filter, selection, sort } = page.view.value;
  const rows = useComputed(() => {
    const { filter: words, sort: by } = page.view.value;
    return sortedRuns(
      page.runs.value.filter((run) => matchesFilter(run, words)),
      by.column,
      by.descending,
    );
  }).value;
  const shown = page.shown.value;
  const onToggle = useCallback(
    (id: string) => page.change({ selection: toggled(page.view.peek().selection, id) }),
    [page],
  );
  const ticked = rows.filter(({ id }) => isSelected(selection, id));
  const all = ticked.length === rows.length && rows.length > 0;

  return (
    <main id="charts" class="table-view" tabIndex={-1}>
      <header class="view-head">
        <h2>Runs</h2>
        <p class="subtitle" role="status">
          {filter === ""
            ? `${rows.length} runs, ${shown.length} shown on charts`
            : `${rows.length} of ${page.runs.value.length} match, ${ticked.length} of them shown on charts`}
        </p>
        <input
          type="search"
          value={filter}
          placeholder="Search: name, status, η=0.01, B=8, tag:baseline"
          aria-label="Search runs by name, status, learning rate (η=0.01), batch size (B=8) or tag (tag:baseline)"
          onInput={(event) => page.change({ filter: event.currentTarget.value })}
        />
      </header>
      <div class="table-tools">
        <TagEditor runs={ticked} of={ticked.length === 1 ? "the ticked run" : `the ${ticked.length} ticked runs`} />
        <Link to={{ view: "charts", run: "" }} class="button">
          Charts of the {shown.length} shown
        </Link>
        <Link to={{ view: "compare", run: "" }} class="button">
          Compare
        </Link>
      </div>
      {rows.length === 0 ? (
        <Notice title={`No run matches “${filter}”.`} />
      ) : (
        <div class="table-scroll" role="region" aria-label="Runs" tabIndex={0}>
          <table class="runs-table">
            <caption class="visually-hidden">Runs; the heads of the columns sort them</caption>
            <thead>
              <tr>
                <th scope="col" class="tick">
                  <input
                    type="checkbox"
                    class="plain"
                    aria-label="Show all of these on the charts"
                    checked={all}
                    indeterminate={!all && ticked.length > 0}
                    onChange={() => {
                      const others = shown.map(({ id }) => id).filter((id) => !rows.some((row) => row.id === id));
                      const ids = all ? others : [...others, ...rows.map(({ id }) => id)];
                      page.change({ selection: { kind: "only", ids: new Set(ids) } });
                    }}
                  />
                </th>
                {columns.map((column) => (
                  <Head key={column.id} column={column} sorted={sort.column === column.id ? sort : null} />
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, unfolded.value ? undefined : firstRows).map((run) => (
                <TableRow
                  key={run.id}
                  run={run}
                  colour={page.colourOf(run.id)}
                  selected={isSelected(selection, run.id)}
                  series={page.data.series(run.id, "noiseKernel/exact")}
                  version={page.data.series(run.id, "noiseKernel/exact")?.version ?? 0}
                  filter={filter}
                  onToggle={onToggle}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > firstRows && (
        <button type="button" onClick={() => (unfolded.value = !unfolded.value)}>
          {unfolded.value ? `Show the first ${firstRows}` : `Show all ${rows.length} runs`}
        </button>
      )}
    </main>
  );
}

function Head({ column, sorted }: { readonly column: Column; readonly sorted: { descending: boolean } | null }) {
  const page = usePage();
  const { id, label, title, kind } = column;
  // A second click turns the order round. Numbers are asked for from the largest first, except the age.
  const first = kind === "number" && id !== "age";
  const descending = sorted === null ? first : !sorted.descending;
  return (
    <>
      <th
        scope="col"
        data-kind={kind}
        data-column={id}
        aria-sort={sorted === null ? undefined : sorted.descending ? "descending" : "ascending"}
      >
        <button type="button" title={title} onClick={() => page.change({ sort: { column: id, descending } })}>
          <MathText text={label} />
          <span class="sort-sign" aria-hidden="true">
            {sorted === null ? "" : sorted.descending ? "▼" : "▲"}
          </span>
        </button>
      </th>
      {id === "kernel" && (
        <th scope="col" class="spark-head">
          K over the run
        </th>
      )}
    </>
  );
}
