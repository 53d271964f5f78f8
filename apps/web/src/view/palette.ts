/**
 * Colours of runs. The hues of Okabe and Ito's palette (2008), made darker or lighter until each stands out from its
 * theme's background by 3:1 (WCAG 1.4.11) and no two of the first six look alike to readers with any of the common
 * colour-vision deficiencies. `palette.test.ts` checks both.
 */
export type Theme = "light" | "dark";

export const runColours: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#006fe6", "#a5320e", "#00a759", "#c176be", "#ce8300", "#0b5165", "#8a8082", "#753a30"],
  dark: ["#56b4e9", "#ff8b3d", "#2fc89a", "#ea8fc8", "#f0d54a", "#4f86f7", "#b9c0c5", "#d0674f"],
};

/** The colour of the run that started `index`-th. After eight they come round again. */
export function runColour(index: number, theme: Theme): string {
  const colours = runColours[theme];
  return colours[index % colours.length]!;
}
