import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runColours, type Theme } from "./palette.js";

type Rgb = readonly [number, number, number];

const parse = (hex: string): Rgb => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255) as unknown as Rgb;
/** sRGB transfer function, IEC 61966-2-1. */
const toLinear = (rgb: Rgb) =>
  rgb.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as unknown as Rgb;
const times = (m: readonly Rgb[], v: Rgb) =>
  m.map((row) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) as unknown as Rgb;

/** WCAG 2.2, relative luminance and contrast ratio. */
const luminance = (hex: string) => times([[0.2126, 0.7152, 0.0722]], toLinear(parse(hex)))[0];
function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. */
const vision: Readonly<Record<string, readonly Rgb[]>> = {
  typical: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIELAB under D65, as seen with a kind of vision. */
function lab(hex: string, kind: string): Rgb {
  const seen = times(vision[kind]!, toLinear(parse(hex))).map((c) => Math.min(1, Math.max(0, c))) as unknown as Rgb;
  const xyz = times(
    [
      [0.4124, 0.3576, 0.1805],
      [0.2126, 0.7152, 0.0722],
      [0.0193, 0.1192, 0.9505],
    ],
    seen,
  );
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (t * 24389) / 27 / 116 + 16 / 116);
  const [x, y, z] = [f(xyz[0] / 0.95047), f(xyz[1]), f(xyz[2] / 1.08883)];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
const difference = (a: string, b: string, kind: string) =>
  Math.hypot(...lab(a, kind).map((c, i) => c - lab(b, kind)[i]!));

const tokens = readFileSync(new URL("../styles/tokens.css", import.meta.url), "utf8");
function token(name: string, theme: Theme): string {
  const block = tokens.slice(tokens.indexOf(`[data-theme="${theme}"]`));
  return new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(block)![1]!;
}

describe.each(["light", "dark"] as const)("%s", (theme) => {
  test("every line stands out from the chart by 3:1 (WCAG 1.4.11)", () => {
    for (const colour of runColours[theme]) {
      expect([colour, contrast(colour, token("surface", theme)) >= 3]).toEqual([colour, true]);
    }
  });

  test("words stand out from every ground they lie on by 4.5:1 (WCAG 1.4.3)", () => {
    for (const ground of ["page", "surface", "sunken"]) {
      for (const ink of ["text", "text-muted", "good", "warn", "bad"]) {
        const ratio = contrast(token(ink, theme), token(ground, theme));
        expect([ink, ground, ratio >= 4.5]).toEqual([ink, ground, true]);
      }
    }
  });

  // A just noticeable difference is about 2.3 in CIELAB (Mahy et al. 1994). Thin lines apart from each other need
  // several times that: 10 is four of them.
  test.each(Object.keys(vision))("any two of the first six runs differ, seen with %s", (kind) => {
    const colours = runColours[theme].slice(0, 6);
    for (const [i, a] of colours.entries()) {
      for (const b of colours.slice(i + 1)) {
        const apart = difference(a, b, kind);
        expect([a, b, Math.round(apart), apart >= 10]).toEqual([a, b, Math.round(apart), true]);
      }
    }
  });
});
