/** The colours of a figure on white or on dark paper. Every pair of series colours differs in lightness as well as in hue. */
export interface Theme {
  readonly name: "light" | "dark";
  readonly background: string;
  /** Titles, axis labels. */
  readonly ink: string;
  /** Tick labels, notes. */
  readonly mutedInk: string;
  readonly axis: string;
  readonly grid: string;
  /** Lines that mark an edge of stability: K = 1, 2/η. */
  readonly edge: string;
  /** Unordered series, in the order of use. After Okabe and Ito (2008), safe for colour-blind readers. */
  readonly series: readonly string[];
  /** Ordered series: from the first colour to the last as the quantity grows. Cut from viridis, for its even lightness. */
  readonly ramp: readonly string[];
}

export const lightTheme: Theme = {
  name: "light",
  background: "#ffffff",
  ink: "#1a1f26",
  mutedInk: "#4d5561",
  axis: "#8b94a1",
  grid: "#e8ebef",
  edge: "#b3261e",
  series: ["#0b5fa5", "#d9730d", "#118a6e", "#9a4fa3", "#6b7280"],
  ramp: ["#44bf70", "#1f968b", "#2c6e8e", "#3e4a89", "#46085c"],
};

export const darkTheme: Theme = {
  name: "dark",
  background: "#12161c",
  ink: "#eef1f5",
  mutedInk: "#aeb7c3",
  axis: "#6f7a88",
  grid: "#262d37",
  edge: "#ff8a80",
  series: ["#6cb6f5", "#ffab5c", "#4fd1ab", "#d59be0", "#a3acb8"],
  ramp: ["#4f7ac7", "#2fa3a0", "#4ac16d", "#a5db36", "#fde725"],
};

/** Colour number `index` of `count` along the ramp, mixed between its stops. */
export function rampColour(theme: Theme, index: number, count: number): string {
  const position = count < 2 ? theme.ramp.length - 1 : (index / (count - 1)) * (theme.ramp.length - 1);
  const low = Math.min(Math.floor(position), theme.ramp.length - 2);
  const share = position - low;
  const [from, to] = [theme.ramp[low]!, theme.ramp[low + 1]!].map((hex) =>
    [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)),
  ) as [number[], number[]];
  const mixed = from.map((value, channel) => Math.round(value + share * (to[channel]! - value)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** Inter ships with this package, so that PNGs look the same everywhere; an SVG falls back to the viewer's own face. */
export const fontFamily = "Inter, 'Helvetica Neue', Arial, sans-serif";
