import type { Plot } from "./plot.js";

export interface GestureHandlers {
  /** The pointer is over a value; null when it has left. */
  hover(at: { readonly x: number; readonly top: number } | null): void;
  /** A stretch is being drawn out, in pixels of the surface; null when it is over. */
  selecting(span: readonly [number, number] | null): void;
  /** A stretch was drawn out: zoom to it. */
  select(from: number, to: number): void;
  /** Move the view by a share of its length. */
  pan(share: number): void;
  /** Magnify the view about a value. */
  zoom(about: number, factor: number): void;
  reset(): void;
}

/** A shorter drag is a click. Pixels. */
const shortestDrag = 6;

/**
 * What the pointer does on a chart, as in other dashboards: drag to zoom, shift-drag to pan, double-click to see
 * everything, ctrl- or ⌘-wheel (also a pinch on a trackpad) to zoom, sideways wheel to pan. A plain wheel scrolls the
 * page. A finger moves the cursor, and leaves vertical scrolling to the page.
 */
export function attachGestures(plot: Plot, handlers: GestureHandlers): () => void {
  const { surface } = plot;
  let drag: { readonly kind: "select" | "pan"; readonly start: number; last: number } | null = null;
  const leftOf = (event: MouseEvent) => event.clientX - surface.getBoundingClientRect().left;

  const down = (event: PointerEvent) => {
    if (event.pointerType === "touch" || event.button !== 0) return;
    const left = leftOf(event);
    drag = { kind: event.shiftKey ? "pan" : "select", start: left, last: left };
    surface.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    const { left, top } = surface.getBoundingClientRect();
    handlers.hover({ x: plot.valueAt(event.clientX - left), top: event.clientY - top });
    if (drag === null) return;
    const here = event.clientX - left;
    if (drag.kind === "pan") handlers.pan((drag.last - here) / surface.clientWidth);
    else handlers.selecting([drag.start, here]);
    drag.last = here;
  };
  const up = () => {
    if (drag?.kind === "select" && Math.abs(drag.last - drag.start) >= shortestDrag) {
      const [from, to] = [drag.start, drag.last].sort((a, b) => a - b);
      handlers.select(plot.valueAt(from!), plot.valueAt(to!));
    }
    cancel();
  };
  const cancel = () => {
    drag = null;
    handlers.selecting(null);
  };
  const leave = () => {
    if (drag === null) handlers.hover(null);
  };
  const wheel = (event: WheelEvent) => {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      handlers.zoom(plot.valueAt(leftOf(event)), 1.2 ** (-event.deltaY / 60));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      handlers.pan(event.deltaX / surface.clientWidth);
    }
  };

  const listeners = [
    ["pointerdown", down],
    ["pointermove", move],
    ["pointerup", up],
    ["pointercancel", cancel],
    ["pointerleave", leave],
    ["dblclick", () => handlers.reset()],
    ["wheel", wheel],
  ] as const;
  for (const [type, listener] of listeners) {
    surface.addEventListener(type, listener as EventListener, { passive: false });
  }
  return () => {
    for (const [type, listener] of listeners) surface.removeEventListener(type, listener as EventListener);
  };
}
