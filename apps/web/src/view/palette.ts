/**
 * Colours of runs. From Okabe and Ito's palette (2008), which readers with any of the common colour-vision deficiencies
 * can tell apart, made darker or lighter until each stands out from the background of its theme by 3:1 (WCAG 1.4.11).
 * `palette.test.ts` checks both.
 */
export type Theme = "light" | "dark";

export const runColours: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#0072b2", "#d55e00", "#009e73", "#b5479d", "#a97400", "#2f9bd6", "#5a5f63", "#7d2e1f"],
  dark: ["#56b4e9", "#ff8b3d", "#2fc89a", "#ea8fc8", "#f0d54a", "#4f86f7", "#b9c0c5", "#d0674f"],
};

/** The colour of the run that started `index`-th. After eight they come round again. */
export function runColour(index: number, theme: Theme): string {
  const colours = runColours[theme];
  return colours[index % colours.length]!;
}
