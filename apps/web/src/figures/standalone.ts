import type { Ink } from "../charts/paint.js";

/** Room above a saved figure for its title. */
const head = 34;
const namespace = "http://www.w3.org/2000/svg";

interface StandaloneOptions {
  readonly title: string;
  readonly ink: Ink;
  readonly font: string;
}

/** A copy of an SVG of the page that stands by itself: its title above it, on an opaque ground, with its own font. */
export function standaloneSvg(drawn: SVGSVGElement, { title, ink, font }: StandaloneOptions): SVGSVGElement {
  const [width, height] = [drawn.width.baseVal.value, drawn.height.baseVal.value];
  const element = (name: string, attributes: Readonly<Record<string, string | number>>) => {
    const made = document.createElementNS(namespace, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
    return made;
  };
  const svg = element("svg", {
    width,
    height: height + head,
    viewBox: `0 0 ${width} ${height + head}`,
    "font-family": font,
    "font-size": 11,
  }) as SVGSVGElement;
  const heading = element("text", { x: 8, y: 22, fill: ink.text, "font-size": 15, "font-weight": 600 });
  heading.textContent = title;
  const content = element("g", { transform: `translate(0 ${head})` });
  for (const child of drawn.childNodes) content.append(child.cloneNode(true));
  svg.append(element("rect", { width, height: height + head, fill: ink.surface }), heading, content);
  return svg;
}
