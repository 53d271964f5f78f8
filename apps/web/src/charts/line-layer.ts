import { manyLines, mappings, paintLines, type Area, type Content } from "./paint.js";
import { project, unproject, type Domain, type Scale } from "./scale.js";

/** How far a layer reaches beyond its chart at each side, as shares of the chart's width and height. */
const margin = { x: 0.15, y: 0.1 };
/** A view that has not moved for so long stands still. Milliseconds. */
const stillness = 100;
/** A layer is stretched at most so far; then it is painted anew at once. */
const mostStretch = 3;
/** So much of a chart's width may be missing from its layer until its turn comes. */
const mostMissing = 0.3;

/** Layers that show an older view, stretched, in the order in which they are painted anew: one a frame. */
const waiting = new Set<LineLayer>();
/** The frame in which a waiting layer was painted last. */
let taken = -1;
let lastMove = -Infinity;
let isTicking = false;

const frameTime = () => Number(document.timeline.currentTime);

/**
 * The lines of a chart on a canvas of their own. With many lines, painting them takes longer than a frame; so while the
 * view moves, what was painted is moved and stretched with it, and the charts of the page are painted anew in turn, one
 * a frame. At rest every chart shows its own lines.
 */
export class LineLayer {
  readonly #canvas = document.createElement("canvas");
  readonly #redraw: () => void;
  #painted: Painted | null = null;

  /** @param redraw  Paints the chart again. */
  constructor(redraw: () => void) {
    this.#redraw = redraw;
  }

  /** Paints the lines of `content`, as they are or as they were a moment ago in their new place. */
  readonly paint = (context: CanvasRenderingContext2D, content: Content, area: Area): void => {
    if (content.strokes.length <= manyLines) {
      this.#painted = null;
      waiting.delete(this);
      return paintLines(context, content, area);
    }
    const view = viewOf(content, area);
    const now = performance.now();
    if (this.#painted === null || !isSame(this.#painted.view, view))
      lastMove = this.#painted === null ? -Infinity : now;
    const isMoving = now - lastMove < stillness;
    if (this.#painted === null || !this.#canServe(view, content, isMoving)) this.#renew(content, area, view);
    else if (!isSame(this.#painted.view, view) || this.#painted.strokes !== content.strokes) {
      waiting.add(this);
      const [next] = waiting;
      if (next === this && taken !== frameTime()) {
        taken = frameTime();
        this.#renew(content, area, view);
      } else this.#awaitTurn();
    }
    const { left, top, width, height } = placeOf(this.#painted!, content, area);
    // Interpolating would take longer than it is looked at.
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#canvas, left, top, width, height);
  };

  close(): void {
    waiting.delete(this);
  }

  #awaitTurn(): void {
    if (isTicking) return;
    isTicking = true;
    const tick = () => {
      const [next] = waiting;
      if (next === undefined) {
        isTicking = false;
        return;
      }
      // While the view moves every chart is painted anyway, and takes its turn by itself.
      if (performance.now() - lastMove >= stillness) next.#redraw();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  /** Whether what was painted can stand for this view for some frames. */
  #canServe(view: View, content: Content, isMoving: boolean): boolean {
    const painted = this.#painted!;
    if (painted.strokes !== content.strokes && !isMoving) return false;
    const { area } = view;
    if (area.width !== painted.view.area.width || area.height !== painted.view.area.height) return false;
    if (!isSameScale(painted.view.xScale, view.xScale) || !isSameScale(painted.view.yScale, view.yScale)) return false;
    const { left, width, height } = placeOf(painted, content, area);
    const stretches = [width / painted.width, height / painted.height];
    if (stretches.some((stretch) => !(stretch > 1 / mostStretch && stretch < mostStretch))) return false;
    const missing = Math.max(0, left - area.left) + Math.max(0, area.left + area.width - left - width);
    return missing < mostMissing * area.width;
  }

  #renew(content: Content, area: Area, view: View): void {
    waiting.delete(this);
    const [besides, above] = [Math.round(margin.x * area.width), Math.round(margin.y * area.height)];
    const [width, height] = [Math.round(area.width) + 2 * besides, Math.round(area.height) + 2 * above];
    const xDomain = extended(content.xScale, content.xDomain, besides / area.width);
    const yDomain = extended(content.yScale, content.yDomain, above / area.height);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    const context = this.#canvas.getContext("2d")!;
    context.clearRect(0, 0, width, height);
    const whole = { left: 0, top: 0, width, height, ratio: area.ratio };
    paintLines(context, { ...content, xDomain, yDomain }, whole);
    this.#painted = { view, strokes: content.strokes, xDomain, yDomain, width, height };
  }
}

/** Which part of which axes a chart shows. */
interface View {
  readonly xDomain: Domain;
  readonly yDomain: Domain;
  readonly xScale: Scale;
  readonly yScale: Scale;
  readonly area: Area;
}

interface Painted {
  readonly view: View;
  readonly strokes: Content["strokes"];
  /** Of the layer, margins included. */
  readonly xDomain: Domain;
  readonly yDomain: Domain;
  readonly width: number;
  readonly height: number;
}

const viewOf = ({ xDomain, yDomain, xScale, yScale }: Content, area: Area): View => ({
  ...{ xDomain, yDomain, xScale, yScale, area },
});

const isSame = (a: View, b: View): boolean =>
  a.xDomain[0] === b.xDomain[0] &&
  a.xDomain[1] === b.xDomain[1] &&
  a.yDomain[0] === b.yDomain[0] &&
  a.yDomain[1] === b.yDomain[1] &&
  a.area.width === b.area.width &&
  a.area.height === b.area.height &&
  isSameScale(a.xScale, b.xScale) &&
  isSameScale(a.yScale, b.yScale);

const isSameScale = (a: Scale, b: Scale): boolean =>
  a.kind === b.kind && (a.kind !== "asinh" || b.kind !== "asinh" || a.threshold === b.threshold);

/** `domain` with a share of its length, as seen on the scale, added at both ends. */
function extended(scale: Scale, [min, max]: Domain, share: number): Domain {
  const [low, high] = [project(scale, min), project(scale, max)];
  const room = (high - low) * share;
  return [unproject(scale, low - room), unproject(scale, high + room)];
}

/** Where a painted layer lies on a chart that shows `content`. Whole pixels where it is not stretched. */
export function placeOf(
  { xDomain, yDomain, width, height }: Pick<Painted, "xDomain" | "yDomain" | "width" | "height">,
  content: Pick<Content, "xDomain" | "yDomain" | "xScale" | "yScale">,
  area: Area,
): { readonly left: number; readonly top: number; readonly width: number; readonly height: number } {
  const { toX, toY } = mappings(content, area);
  const x = (value: number) => toX.offset + toX.factor * project(content.xScale, value);
  const y = (value: number) => toY.offset + toY.factor * project(content.yScale, value);
  const [left, right] = [x(xDomain[0]), x(xDomain[1])];
  const [top, bottom] = [y(yDomain[1]), y(yDomain[0])];
  const isStretched = Math.abs(right - left - width) > 0.5 || Math.abs(bottom - top - height) > 0.5;
  return isStretched
    ? { left, top, width: right - left, height: bottom - top }
    : { left: Math.round(left), top: Math.round(top), width, height };
}
