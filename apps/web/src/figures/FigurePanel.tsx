import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { font, type Ink } from "../charts/paint.js";
import { readInk } from "../charts/ink.js";
import { pngBlob, saveFile } from "../export/save.js";
import { SaveMenu, type SaveFormat } from "../export/SaveMenu.js";
import { MathText } from "../ui/MathText.js";
import { usePage } from "../view/page.js";
import { standaloneSvg } from "./standalone.js";

interface FigurePanelProps {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly controls?: ComponentChildren;
  /** An `<svg>` as wide as given, whose colours are attributes: what is saved is what is seen. */
  readonly draw: (width: number, ink: Ink) => ComponentChildren;
  /** The numbers of the figure. */
  readonly csv: () => string;
  /** Below the figure. */
  readonly children?: ComponentChildren;
}

/** A panel with a figure in SVG, drawn for the width there is, which can be saved as CSV, SVG or PNG. */
export function FigurePanel({ id, title, subtitle, controls, draw, csv, children }: FigurePanelProps) {
  const page = usePage();
  const host = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    const element = host.current!;
    const resized = new ResizeObserver(() => (width.value = element.clientWidth));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  const ink = readInk(page.theme.value);
  const save = async (format: SaveFormat) => {
    const name = `sedge-${id}.${format}`;
    if (format === "csv") return saveFile(name, new Blob([csv()], { type: "text/csv" }));
    const drawn = host.current!.querySelector("svg");
    if (drawn === null) throw new Error("There is nothing to draw yet.");
    const svg = standaloneSvg(drawn, { title, ink, font });
    if (format === "png") return saveFile(name, await pngBlob(svg));
    saveFile(name, new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" }));
  };
  return (
    <section class="panel figure" aria-labelledby={`title-${id}`} data-figure={id}>
      <header class="panel-head">
        <div>
          <h2 id={`title-${id}`}>{title}</h2>
          <p class="subtitle">
            <MathText text={subtitle} />
          </p>
        </div>
        <div class="controls">
          {controls}
          <SaveMenu of={`the figure ${title}`} onSave={save} />
        </div>
      </header>
      <div ref={host} class="figure-host">
        {width.value > 0 && draw(width.value, ink)}
      </div>
      {children}
    </section>
  );
}
