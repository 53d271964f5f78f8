import { writeFileSync } from "node:fs";
import * as Plot from "@observablehq/plot";
import { test } from "vitest";
import { drawSheet } from "./plotting/sheet.js";
import { renderPng } from "./plotting/png.js";
import { lightTheme, darkTheme, rampColour } from "./plotting/theme.js";
test("x", () => {
  for (const theme of [lightTheme, darkTheme]) {
    const panel = (i: number) => ({
      title: `Loss against step, K_{exact} = 0.${i}`,
      legend: [1, 2, 3, 4, 5].map((k) => ({
        label: `η = 0.0${k}, λ_{max} η/2`,
        colour: rampColour(theme, k - 1, 5),
        symbol: (["line", "dashed", "dotted", "ring", "band"] as const)[k - 1]!,
      })),
      x: { label: "step", type: i % 2 ? ("log" as const) : ("linear" as const), domain: [1, 1e4] as [number, number] },
      y: { label: "loss (½ mean squared residual)", type: "log" as const, domain: [1e-6, 10] as [number, number] },
      marks: [1, 2, 3, 4, 5].flatMap((k) => [
        Plot.line(
          Array.from({ length: 50 }, (_, j) => [10 ** ((j * 4) / 49), 10 ** ((-j * k) / 49)]) as [number, number][],
          { stroke: rampColour(theme, k - 1, 5), strokeWidth: 2, clip: true },
        ),
      ]),
    });
    const svg = drawSheet(
      {
        title: "Figure 1. Linear regression: K = 1 is the edge",
        subtitle: ["D = 100 examples, P = 120 parameters, B = 5; i.i.d. Gaussian Jacobian ± × − √ ∞ ≤ κ λ̄ 10⁻³"],
        panels: [1, 2, 3, 4].map(panel),
        columns: 2,
      },
      theme,
    );
    writeFileSync(`/tmp/fig/t-${theme.name}.svg`, svg);
    writeFileSync(`/tmp/fig/t-${theme.name}.png`, renderPng(svg, { scale: 1 }));
  }
});
