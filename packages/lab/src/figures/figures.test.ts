import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JSDOM } from "jsdom";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { figure01, type Figure01Data } from "./figure-01.js";
import { figure02, type Figure02Data } from "./figure-02.js";
import type { FigureContext, Study } from "./figure.js";
import { folderParts, noParts } from "./parts.js";
import { renderPng } from "./plotting/png.js";
import { drawSheet } from "./plotting/sheet.js";
import { darkTheme, lightTheme } from "./plotting/theme.js";
import { tableToCsv, writeFigure } from "./write-figure.js";

const context: FigureContext = {
  ...{ quick: true, seed: 1, parts: noParts, onProgress: () => undefined },
  sweep: () => Promise.reject(new Error("figures 1 and 2 train nothing")),
};

let one: Figure01Data;
let two: Figure02Data;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sedge-figures-"));
  // Everything computed here can be read again by the tests below, and the second figure's test of resuming needs the parts.
  const parts = folderParts(join(folder, "parts"));
  one = await figure01.compute({ ...context, parts });
  two = await figure02.compute({ ...context, parts });
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** What a picture is made of: element names and texts in order. Not coordinates, which may move by a bit between machines. */
function structure<Data>(study: Study<Data>, data: Data, theme = lightTheme) {
  const { document } = new JSDOM(drawSheet(study.sheet(data, theme), theme), { contentType: "image/svg+xml" }).window;
  return [...document.querySelectorAll("[data-panel]")].map((panel) => ({
    letter: panel.getAttribute("data-panel"),
    texts: [...panel.querySelectorAll("text")].map((text) => text.textContent),
    lines: panel.querySelectorAll("path[d^=M]").length,
    dots: panel.querySelectorAll("circle, path").length,
    edges: [...panel.querySelectorAll("[stroke]")].filter((node) => node.getAttribute("stroke") === theme.edge).length,
  }));
}

describe("figure 1", () => {
  test("every claim holds", () => expect(figure01.checks(one).filter(({ holds }) => !holds)).toEqual([]));

  test("both norms are 1 where they are said to be, and the growth of the second moment changes sign there", () => {
    const { edges, critical } = one;
    for (const { learningRate, kExact, kDiagonal, growthExact, growthDiagonal } of edges) {
      if (Math.abs(learningRate / critical.exact - 1) > 1e-6) {
        expect(kExact > 1).toBe(learningRate > critical.exact);
        expect(growthExact > 1).toBe(learningRate > critical.exact);
      }
      if (Math.abs(learningRate / critical.diagonal - 1) > 1e-6) {
        expect(kDiagonal > 1).toBe(learningRate > critical.diagonal);
        expect(growthDiagonal > 1).toBe(learningRate > critical.diagonal);
      }
    }
  });

  test("the trace form is ηP/(2B) in expectation over a Gaussian Jacobian", () => {
    // tr Θ = Σ J²/N has mean P and standard deviation √(2P/N): 1.6 for P = 120, N = 100. Five of those.
    const { params, examples } = one.problem;
    const { learningRate, kTrace } = one.edges.at(-1)!;
    const trace = (kTrace * 2 * one.problem.batchSize) / learningRate;
    expect(Math.abs(trace - params)).toBeLessThan(5 * Math.sqrt((2 * params) / examples));
  });

  test("four panels, each axis labelled, each edge drawn, exact beside the paper's form", () => {
    const panels = structure(figure01, one);
    expect(panels.map(({ letter }) => letter)).toEqual(["a", "b", "c", "d"]);
    expect(panels[1]!.texts).toEqual(
      expect.arrayContaining(["K exact", "K diagonal (the paper’s K)", "learning rate η (1/curvature)"]),
    );
    for (const panel of panels.slice(1)) expect(panel.edges).toBeGreaterThan(0);
    for (const panel of panels) expect(panel.lines).toBeGreaterThan(0);
  });
});

describe("figure 2", () => {
  test("every claim holds", () => expect(figure02.checks(two).filter(({ holds }) => !holds)).toEqual([]));

  test("four panels with K exact beside the paper's in the legend", () => {
    const panels = structure(figure02, two);
    expect(panels.map(({ letter }) => letter)).toEqual(["a", "b", "c", "d"]);
    expect(panels[0]!.texts.join(" ")).toMatch(/B = 3: Kexact 0\.\d\d, paper’s 0\.\d\d/);
  });

  test("an interrupted figure goes on where it was: nothing kept is computed again", async () => {
    let seeds = 0;
    const again = await figure02.compute({
      ...context,
      parts: folderParts(join(folder, "parts")),
      onProgress: () => seeds++,
    });
    expect(seeds).toBeLessThanOrEqual(2); // one for the beginning of each weighting
    expect(again).toEqual(two);
  });
});

test("an abort ends a figure with the signal's reason", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(figure01.compute({ ...context, signal })).rejects.toThrow("enough");
  await expect(figure02.compute({ ...context, signal })).rejects.toThrow("enough");
});

describe("the files of a figure", () => {
  test("light and dark have the same parts, and no stylesheet or variable that a rasteriser would miss", () => {
    const strip = (panels: ReturnType<typeof structure>) => panels.map(({ texts, lines }) => ({ texts, lines }));
    expect(strip(structure(figure01, one, darkTheme))).toEqual(strip(structure(figure01, one)));
    const svg = drawSheet(figure01.sheet(one, darkTheme), darkTheme);
    expect(svg).not.toMatch(/<style|var\(--|currentColor|NaN|undefined/);
  });

  test("all are written, the pictures are not empty, and the numbers come back", () => {
    const out = join(folder, "out");
    const paths = writeFigure(figure01, one, out);
    expect(readdirSync(out).sort()).toEqual(paths.map((path) => path.slice(out.length + 1)).sort());
    const png = readFileSync(join(out, "figure-01-light.png"));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    const stored = JSON.parse(readFileSync(join(out, "figure-01.json"), "utf8")) as {
      tables: { b: { kExact: number[] } };
      checks: { holds: boolean }[];
    };
    expect(stored.tables.b.kExact).toEqual(one.edges.map(({ kExact }) => kExact));
    expect(stored.checks.every(({ holds }) => holds)).toBe(true);
    const [header, first] = readFileSync(join(out, "figure-01-b.csv"), "utf8").split("\n");
    expect(header).toMatch(/^learningRate,kExact,kDiagonal/);
    expect(Number(first!.split(",")[1])).toBe(one.edges[0]!.kExact);
  });

  test("nothing is left half-written where a file cannot be", () => {
    const out = join(folder, "blocked");
    writeFileSync(out, "in the way");
    expect(() => writeFigure(figure01, one, out)).toThrow();
    expect(readFileSync(out, "utf8")).toBe("in the way");
  });

  test("text is really drawn: the same sheet without letters is another picture", () => {
    const sheet = { title: "λ_{max} η/2 ≤ 1", subtitle: [], panels: [], columns: 1, panelWidth: 200 };
    const withText = renderPng(drawSheet(sheet, lightTheme));
    const without = renderPng(drawSheet({ ...sheet, title: "" }, lightTheme));
    expect(withText.length).toBeGreaterThan(without.length + 500);
  });

  test("CSV quotes what needs it and keeps every digit", () => {
    expect(tableToCsv({ name: ['a,"b"', "c"], x: [0.1 + 0.2, Infinity] })).toBe(
      'name,x\n"a,""b""",0.30000000000000004\nc,Infinity\n',
    );
  });
});
