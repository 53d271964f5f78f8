import { JSDOM } from "jsdom";
import { beforeAll, describe, expect, test } from "vitest";
import { figure07 } from "./figure-07.js";
import { figure08 } from "./figure-08.js";
import { figure09 } from "./figure-09.js";
import type { FigureContext, Study } from "./figure.js";
import type { SettingCase, SettingData } from "./linear-setting.js";
import type { LossCurvesData, SizeCase } from "./loss-curves.js";
import { noParts } from "./parts.js";
import { drawSheet } from "./plotting/sheet.js";
import { lightTheme } from "./plotting/theme.js";

const context: FigureContext = {
  ...{ quick: true, seed: 1, parts: noParts, onProgress: () => undefined },
  sweep: () => Promise.reject(new Error("these figures train nothing")),
};

let seven: LossCurvesData;
let eight: SettingData;
let nine: SettingData;
beforeAll(async () => {
  seven = await figure07.compute(context);
  eight = await figure08.compute(context);
  nine = await figure09.compute(context);
}, 300_000);

const failing = <Data>(figure: Study<Data>, data: Data) =>
  figure
    .checks(data)
    .map(({ holds }, i) => (holds ? -1 : i))
    .filter((i) => i >= 0);

/** Letter, number of curves and of lines in the edge's colour, of each panel. */
function panels<Data>(figure: Study<Data>, data: Data) {
  const svg = drawSheet(figure.sheet(data, lightTheme), lightTheme);
  const { document } = new JSDOM(svg, { contentType: "image/svg+xml" }).window;
  return [...document.querySelectorAll("[data-panel]")].map((panel) => ({
    letter: panel.getAttribute("data-panel"),
    curves: panel.querySelectorAll("path[d^=M]").length,
    edges: [...panel.querySelectorAll("[stroke]")].filter((node) => node.getAttribute("stroke") === lightTheme.edge)
      .length,
  }));
}

describe("figure 7", () => {
  test("every claim holds", () => expect(failing(figure07, seven)).toEqual([]));

  test("each claim fails for data that contradict it", () => {
    const withLast = (change: (size: SizeCase) => Partial<SizeCase>): LossCurvesData => ({
      ...seven,
      sizes: seven.sizes.map((size, i) => (i === seven.sizes.length - 1 ? { ...size, ...change(size) } : size)),
    });
    const off = seven.shown.exact.map((loss, k) => loss + 6 * seven.shown.standardError[k]!);
    expect(failing(figure07, { ...seven, shown: { ...seven.shown, meanLoss: off } })).toEqual([0]);
    expect(
      failing(
        figure07,
        withLast(() => ({ volterraDeviation: seven.sizes[0]!.volterraDeviation })),
      ),
    ).toEqual([1]);
    expect(
      failing(
        figure07,
        withLast(() => ({ diagonalDeviation: seven.sizes[0]!.diagonalDeviation })),
      ),
    ).toEqual([2]);
    expect(
      failing(
        figure07,
        withLast(() => ({ highDimRatio: seven.sizes[0]!.highDimRatio })),
      ),
    ).toEqual([3]);
  });

  test("the high-dimensional norm is the smaller at every size", () => {
    for (const { highDimRatio, diagonalRatio } of seven.sizes) {
      expect(highDimRatio.mean).toBeLessThan(diagonalRatio.mean);
      expect(diagonalRatio.mean).toBeLessThan(1);
    }
  });

  test("four panels with curves", () => {
    const drawn = panels(figure07, seven);
    expect(drawn.map(({ letter }) => letter)).toEqual(["a", "b", "c", "d"]);
    for (const { curves } of drawn) expect(curves).toBeGreaterThan(1);
  });
});

describe.each([
  { figure: figure08, data: () => eight },
  { figure: figure09, data: () => nine },
])("$figure.name", ({ figure, data }) => {
  const changed = (index: number, change: (one: SettingCase) => Partial<SettingCase>): SettingData => ({
    ...data(),
    cases: data().cases.map((one, i) => (i === index ? { ...one, ...change(one) } : one)),
  });

  test("every claim holds", () => expect(failing(figure, data())).toEqual([]));

  test("each claim fails for data that contradict it", () => {
    expect(
      failing(
        figure,
        changed(2, () => ({ radiusAtEdge: 1 + 2e-8 })),
      ),
    ).toEqual([0]);
    const disordered = changed(2, ({ edges }) => ({
      edges: edges.map((edge) => ({ ...edge, diagonal: edge.exact * 1.001 })),
    }));
    expect(failing(figure, disordered)).toEqual([1]);
    const off = changed(2, ({ course }) => ({
      course: { ...course, meanLoss: course.expectedLoss.map((loss, k) => loss + 6 * course.standardError[k]!) },
    }));
    expect(failing(figure, off)).toEqual([2]);
    const growing = changed(2, ({ finals }) => ({ finals: finals.map((final) => ({ ...final, loss: 1e3 })) }));
    expect(failing(figure, growing)).toEqual([3]);
  });

  test("four panels; the edge is drawn where K is an axis", () => {
    const drawn = panels(figure, data());
    expect(drawn.map(({ letter }) => letter)).toEqual(["a", "b", "c", "d"]);
    expect(drawn.map(({ edges }) => edges > 0)).toEqual([true, false, false, true]);
  });

  test("a table a panel, a row a point", () => {
    const tables = figure.tables(data());
    for (const table of Object.values(tables)) {
      expect(new Set(Object.values(table).map((column) => column.length)).size).toBe(1);
    }
    expect(tables["b"]!["criticalExact"]).toEqual(data().cases.map(({ critical }) => critical.exact));
  });
});

test("the deterministic edge is 2(1 + m)/λ_max with momentum, 2/(λ_max + δ) with weight decay", () => {
  const curvature = 2 / eight.cases[0]!.critical.deterministic;
  for (const { value, critical } of eight.cases) {
    expect(critical.deterministic).toBeCloseTo((2 * (1 + value)) / curvature, 12);
  }
  const [plain, ...decayed] = nine.cases;
  for (const { value, critical } of decayed) {
    expect(2 / critical.deterministic - value).toBeCloseTo(2 / plain!.critical.deterministic, 10);
  }
});

test("claims of one setting fail for data that contradict them", () => {
  const curves = eight.cases.map((one, i) =>
    i === 1 ? { ...one, edges: one.edges.map((edge) => ({ ...edge, exact: 1.3 * edge.exact })) } : one,
  );
  expect(failing(figure08, { ...eight, cases: curves })).toContain(4);
  const heavy = eight.cases.map((one, i) =>
    i === eight.cases.length - 1 ? { ...one, critical: { ...one.critical, exact: 1 } } : one,
  );
  expect(failing(figure08, { ...eight, cases: heavy })).toEqual([5]);
  expect(failing(figure09, { ...nine, cases: [nine.cases[1]!, nine.cases[0]!, ...nine.cases.slice(2)] })).toEqual([4]);
});
