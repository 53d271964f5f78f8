import { expect, test } from "vitest";
import { amountColour, channels, distanceColour, markColour } from "./colour-scale.js";

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [r, g, b] = channels(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
const shares = Array.from({ length: 21 }, (_, i) => i / 20);
const grounds = { light: "#ffffff", dark: "#161d1a" } as const;

test.each(["light", "dark"] as const)("more is further from the ground, by lightness alone: %s", (theme) => {
  for (const scale of [amountColour, markColour]) {
    const away = shares.map((share) => Math.abs(luminance(scale(share, theme)) - luminance(grounds[theme])));
    expect(away).toEqual([...away].sort((a, b) => a - b));
    expect(new Set(away.map((value) => value.toFixed(3))).size).toBe(shares.length);
  }
  expect(amountColour(0, theme)).toBe(grounds[theme]);
});

test.each(["light", "dark"] as const)("every mark's colour stands out from its ground: %s", (theme) => {
  const contrast = (colour: string) => {
    const [a, b] = [luminance(colour), luminance(grounds[theme])].sort((x, y) => y - x);
    return (a! + 0.05) / (b! + 0.05);
  };
  // 2:1 for a filled mark that has an outline of its own besides.
  for (const share of shares) expect(contrast(markColour(share, theme))).toBeGreaterThan(2);
  for (const value of [0, 0.1, 0.5, 1, 2, 9, Infinity])
    expect(contrast(distanceColour(value, theme))).toBeGreaterThan(2);
});

test("the edge is grey, inside is bluer, beyond is redder", () => {
  for (const theme of ["light", "dark"] as const) {
    const [r, g, b] = channels(distanceColour(1, theme));
    expect([r, g]).toEqual([g, b]);
    const [insideRed, , insideBlue] = channels(distanceColour(0.3, theme));
    expect(insideBlue!).toBeGreaterThan(insideRed!);
    const [beyondRed, , beyondBlue] = channels(distanceColour(3, theme));
    expect(beyondRed!).toBeGreaterThan(beyondBlue!);
    expect(distanceColour(Infinity, theme)).toBe(distanceColour(100, theme));
  }
});
