import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export type SaveFormat = "csv" | "svg" | "png";

const formats: readonly { readonly format: SaveFormat; readonly label: string; readonly title: string }[] = [
  { format: "csv", label: "CSV", title: "The numbers in view" },
  { format: "svg", label: "SVG", title: "A figure that scales, for papers" },
  { format: "png", label: "PNG", title: "A figure in pixels, for slides" },
];

interface SaveMenuProps {
  /** Of the chart, for people who hear the page. */
  readonly of: string;
  /** Its rejection is shown in the menu. */
  readonly onSave: (format: SaveFormat) => Promise<void>;
}

/** A button that unfolds the formats a chart can be saved in. */
export function SaveMenu({ of, onSave }: SaveMenuProps) {
  const menu = useRef<HTMLDetailsElement>(null);
  const problem = useSignal<string | null>(null);
  const close = () => menu.current?.removeAttribute("open");

  useEffect(() => {
    const outside = (event: Event) => {
      if (!menu.current!.contains(event.target as Node)) close();
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, []);

  const save = async (format: SaveFormat) => {
    problem.value = null;
    try {
      await onSave(format);
      close();
      menu.current?.querySelector("summary")?.focus();
    } catch (error) {
      problem.value = `Not saved: ${error instanceof Error ? error.message : String(error)}`;
    }
  };

  return (
    <details
      class="save"
      ref={menu}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        close();
        menu.current?.querySelector("summary")?.focus();
      }}
    >
      <summary aria-label={`Save ${of}`}>Save</summary>
      <div class="save-formats">
        {formats.map(({ format, label, title }) => (
          <button key={format} type="button" title={title} onClick={() => void save(format)}>
            {label}
          </button>
        ))}
        {problem.value !== null && <p role="alert">{problem.value}</p>}
      </div>
    </details>
  );
}
