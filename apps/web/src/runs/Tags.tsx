import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { usePage } from "../view/page.js";
import { filtersByTag, toggledTag } from "./filter.js";

/** A run's tags; each filters the runs by itself. */
export function Tags({ tags }: { readonly tags: readonly string[] }) {
  const page = usePage();
  const { filter } = page.view.value;
  return (
    <>
      {tags.map((tag) => (
        <button
          key={tag}
          type="button"
          class="tag"
          aria-pressed={filtersByTag(filter, tag)}
          title={`Only runs tagged ${tag}`}
          onClick={() => page.change({ filter: toggledTag(filter, tag) })}
        >
          {tag}
        </button>
      ))}
    </>
  );
}

interface TagEditorProps {
  readonly runs: readonly { readonly id: string; readonly name: string; readonly tags: readonly string[] }[];
  /** What is tagged, for the field's label: "this run", "the 3 runs shown". */
  readonly of: string;
}

/** Adds a tag to runs and takes tags away; what the server refuses is said in its words. */
export function TagEditor({ runs, of }: TagEditorProps) {
  const page = usePage();
  const id = useId();
  const text = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const known = [...new Set(page.runs.value.flatMap(({ tags }) => tags))].sort();
  const removable = [...new Set(runs.flatMap(({ tags }) => tags))].sort();

  const edit = async (change: (tags: readonly string[]) => readonly string[]) => {
    busy.value = true;
    problem.value = null;
    try {
      for (const run of runs) await page.setTags(run.id, change(run.tags));
      text.value = "";
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    }
    busy.value = false;
  };

  return (
    <form
      class="tag-editor"
      onSubmit={(event) => {
        event.preventDefault();
        const tag = text.value.trim();
        if (tag !== "") void edit((tags) => [...tags, tag]);
      }}
    >
      {removable.map((tag) => (
        <span key={tag} class="tag">
          {tag}
          <button
            type="button"
            class="quiet"
            disabled={busy.value}
            aria-label={`Remove the tag ${tag} from ${of}`}
            onClick={() => void edit((tags) => tags.filter((one) => one !== tag))}
          >
            ×
          </button>
        </span>
      ))}
      <input
        type="text"
        list={id}
        maxLength={64}
        placeholder="Add a tag"
        aria-label={`Add a tag to ${of}`}
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <datalist id={id}>
        {known.map((tag) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
      <button type="submit" disabled={busy.value || text.value.trim() === "" || runs.length === 0}>
        Add
      </button>
      {problem.value !== null && (
        <p role="alert" class="problem">
          {problem.value}
        </p>
      )}
    </form>
  );
}
