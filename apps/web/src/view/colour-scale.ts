import type { Theme } from "./palette.js";

/**
 * Colours for numbers. Amounts run through one hue from the page's ground to its opposite, so that lightness alone tells
 * them apart; K runs from blue (inside) through grey (on the edge) to orange (beyond), the pair that all common
 * colour-vision deficiencies keep.
 */
const amounts: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#ffffff", "#cfe8dc", "#7fc2a4", "#2b8a66", "#0d5a41", "#04241a"],
  dark: ["#161d1a", "#1d4234", "#2a7658", "#4fb58c", "#a5e3c6", "#f2fff9"],
};
/** Of marks on the ground: the lightest amounts of the other scale would be lost on it. */
const marks: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#6cc3a0", "#2b8a66", "#0d5a41", "#04241a"],
  dark: ["#2a7658", "#4fb58c", "#a5e3c6", "#f2fff9"],
};
const distances: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#004a9f", "#3f8ae0", "#8e8e8e", "#e07b1f", "#9c3b00"],
  dark: ["#4f9bff", "#82b4f5", "#a9a9a9", "#ff9d4d", "#ff6a13"],
};

export const amountColour = (share: number, theme: Theme) => mix(amounts[theme], share);
export const markColour = (share: number, theme: Theme) => mix(marks[theme], share);

/** Of K or λ_max·η/2: grey at 1, fully blue from 1/8 down, fully orange from 8 up. */
export function distanceColour(value: number, theme: Theme): string {
  return mix(distances[theme], 0.5 + Math.log2(Math.max(value, 1e-9)) / 6);
}

/** The colour at a share 0 … 1 along evenly spaced stops, as `#rrggbb`. */
function mix(stops: readonly string[], share: number): string {
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const i = Math.min(Math.floor(place), stops.length - 2);
  const [a, b] = [channels(stops[i]!), channels(stops[i + 1]!)];
  const mixed = a.map((from, k) => Math.round(from + (b[k]! - from) * (place - i)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

export const channels = (colour: string): number[] =>
  [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
