import type { Theme } from "../view/palette.js";
import type { Ink } from "./paint.js";

const read = new Map<Theme, Ink>();

/** The colours of a canvas, from the style sheet's custom properties, so that each is written down once. */
export function readInk(theme: Theme): Ink {
  let ink = read.get(theme);
  if (ink === undefined) {
    // An element of its own, so that the answer does not depend on when the page itself changes theme.
    const probe = document.createElement("i");
    probe.dataset["theme"] = theme;
    document.body.append(probe);
    const style = getComputedStyle(probe);
    const property = (name: string) => style.getPropertyValue(name).trim();
    ink = {
      text: property("--text"),
      muted: property("--text-muted"),
      grid: property("--chart-grid"),
      surface: property("--surface"),
      edge: property("--edge"),
      beyond: property("--beyond"),
    };
    probe.remove();
    read.set(theme, ink);
  }
  return ink;
}
