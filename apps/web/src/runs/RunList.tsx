import { useComputed, useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { MathText } from "../ui/MathText.js";
import { usePage } from "../view/page.js";
import { everything, isSelected, solo, toggled } from "../view/selection.js";
import { matchesFilter } from "./filter.js";
import { RunRow } from "./RunRow.js";

/** On a narrow page so many runs are listed until all are asked for. */
const firstFew = 6;

/** So many are laid out at first, and so many more whenever the reader comes near the end: a card costs milliseconds. */
const chunk = 12;

/** Every run, newest first: pick what the charts show. */
export function RunList() {
  const page = usePage();
  const list = useRef<HTMLUListElement>(null);
  const unfolded = useSignal(false);
  const laidOut = useSignal(chunk);
  const rest = useRef<HTMLLIElement>(null);
  const { filter, selection } = page.view.value;
  const matching = useComputed(() =>
    [...page.runs.value].reverse().filter((run) => matchesFilter(run, page.view.value.filter)),
  ).value;

  const onToggle = useCallback(
    (id: string) => page.change({ selection: toggled(page.view.peek().selection, id) }),
    [page],
  );
  const onSolo = useCallback((id: string) => page.change({ selection: solo(page.view.peek().selection, id) }), [page]);
  const onHighlight = useCallback((id: string | null) => void (page.highlighted.value = id), [page]);

  // Up and down move between the runs, as in a list box; space is the checkbox's own.
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || !(event.target instanceof HTMLInputElement)) return;
    const boxes = [...list.current!.querySelectorAll<HTMLInputElement>("input[type=checkbox]")];
    boxes[boxes.indexOf(event.target) + step]?.focus();
    event.preventDefault();
  };

  const isCut = matching.length > laidOut.value;
  useEffect(() => {
    if (!isCut) return;
    const near = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) laidOut.value += chunk;
      },
      { rootMargin: "600px" },
    );
    near.observe(rest.current!);
    return () => near.disconnect();
  }, [isCut, laidOut.value]);

  const { loading } = page.feed.value;
  const total = page.runs.value.length;
  const shown = page.shown.value.length;
  return (
    <section class="runs" aria-labelledby="runs-title">
      <header class="runs-head">
        <h2 id="runs-title">Runs</h2>
        <p class="subtitle" role="status">
          {loading > 0 && <span class="reading">reading {loading} … </span>}
          {filter === "" ? `${shown} of ${total} shown` : `${matching.length} of ${total} match, ${shown} shown`}
        </p>
        <div class="runs-tools">
          <input
            type="search"
            value={filter}
            placeholder="Filter runs"
            title="By name, status, learning rate (η=0.01) or batch size (B=1)"
            aria-label="Filter runs by name, status, learning rate (η=0.01) or batch size (B=1)"
            onInput={(event) => page.change({ filter: event.currentTarget.value })}
          />
          <button
            type="button"
            onClick={() =>
              page.change({
                selection: selectMatching(
                  filter,
                  matching.map(({ id }) => id),
                ),
              })
            }
          >
            {loading > 0 && <span class="reading">reading {loading} … </span>}
            {filter === "" ? "Show all" : "Show these"}
          </button>
          <button type="button" onClick={() => page.change({ selection: { kind: "only", ids: new Set() } })}>
            None
          </button>
        </div>
        <p class="gauge-key" aria-hidden="true">
          <span class="gauge-kernel" /> K <span class="gauge-ratio" /> <MathText text="λ_max·η/2" />{" "}
          <span class="gauge-edge" /> edge = 1
        </p>
      </header>
      <ul ref={list} class="run-list" data-folded={!unfolded.value && matching.length > firstFew} onKeyDown={onKeyDown}>
        {matching.slice(0, laidOut.value).map((run) => (
          <RunRow
            key={run.id}
            run={run}
            colour={page.colourOf(run.id)}
            selected={isSelected(selection, run.id)}
            onToggle={onToggle}
            onSolo={onSolo}
            onHighlight={onHighlight}
          />
        ))}
        {isCut && <li ref={rest} class="run-rest" style={{ height: `${(matching.length - laidOut.value) * 134}px` }} />}
      </ul>
      {matching.length > firstFew && (
        <button
          type="button"
          class="unfold"
          aria-expanded={unfolded.value}
          onClick={() => (unfolded.value = !unfolded.value)}
        >
          {unfolded.value ? "Show fewer runs" : `Show all ${matching.length} runs`}
        </button>
      )}
      {matching.length === 0 && total > 0 && <p class="nothing">No run matches “{filter}”.</p>}
    </section>
  );
}

const selectMatching = (filter: string, ids: readonly string[]) =>
  filter === "" ? everything : ({ kind: "only", ids: new Set(ids) } as const);
