/** How a piece of text is set. */
export interface TextStyle {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly fill: string;
  readonly weight?: 400 | 600;
  readonly anchor?: "start" | "middle" | "end";
  /** Degrees about (x, y), clockwise. */
  readonly rotate?: number;
}

interface Piece {
  readonly text: string;
  readonly place: "line" | "below" | "above";
}

/**
 * An SVG text element from marked-up text: `λ_{max}` sets a subscript, `10^{4}` a superscript. SVG has no lasting
 * support for `baseline-shift`, so pieces move by `dy`, which every renderer knows.
 */
export function richText(document: Document, markup: string, style: TextStyle): SVGTextElement {
  const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
  const { x, y, size, fill, weight = 400, anchor = "start", rotate } = style;
  const attributes = { x, y, fill, "font-size": size, "font-weight": weight, "text-anchor": anchor };
  for (const [name, value] of Object.entries(attributes)) text.setAttribute(name, String(value));
  if (rotate !== undefined) text.setAttribute("transform", `rotate(${rotate} ${x} ${y})`);
  let shift = 0;
  for (const { text: content, place } of pieces(markup)) {
    const target = place === "line" ? 0 : place === "below" ? 0.22 * size : -0.36 * size;
    const span = document.createElementNS("http://www.w3.org/2000/svg", "tspan");
    if (target !== shift) span.setAttribute("dy", (target - shift).toFixed(2));
    if (place !== "line") span.setAttribute("font-size", (0.72 * size).toFixed(2));
    span.textContent = content;
    text.append(span);
    shift = target;
  }
  return text;
}

/** A rough width, in pixels, for laying out legends: Inter's letters average 0.53 of their size. */
export function textWidth(markup: string, size: number): number {
  return pieces(markup).reduce(
    (width, { text, place }) => width + text.length * size * (place === "line" ? 0.53 : 0.39),
    0,
  );
}

function pieces(markup: string): Piece[] {
  return markup
    .split(/([_^]\{[^}]*\})/)
    .filter((part) => part !== "")
    .map((part) => {
      const marked = /^([_^])\{(.*)\}$/.exec(part);
      if (marked === null) return { text: part, place: "line" };
      return { text: marked[2]!, place: marked[1] === "_" ? "below" : "above" };
    });
}

/** A power of ten as in print: 10⁻³. */
export function powerOfTen(exponent: number): string {
  return `10${String(exponent).replace(/./g, (sign) => superscripts[sign] ?? sign)}`;
}

const superscripts: Readonly<Record<string, string>> = {
  "-": "⁻",
  ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((sign, digit) => [String(digit), sign])),
};
