import { expect, test } from "vitest";
import type { LegendLine } from "../charts/content.js";
import { chartCsv } from "./csv.js";

const line = (name: string, x: number[], values: number[], errors: number[] | null = null) =>
  ({
    run: { id: "r1", name },
    measure: { key: "noiseKernel/exact" },
    line: { x: Float64Array.from(x), values: Float64Array.from(values), errors: errors && Float64Array.from(errors) },
  }) as unknown as LegendLine;

test("a row a measurement, with its error where there is one", () => {
  expect(chartCsv([line("a", [0, 10], [1.5, 0.5], [0.1, NaN])], "step", [0, 10])).toBe(
    "run,run_id,metric,step,value,standard_error\r\n" +
      "a,r1,noiseKernel/exact,0,1.5,0.1\r\n" +
      "a,r1,noiseKernel/exact,10,0.5,\r\n",
  );
});

test("only what is in view", () => {
  const text = chartCsv([line("a", [0, 10, 20], [1, 2, 3])], "step", [5, 15]);
  expect(text.trimEnd().split("\r\n").slice(1)).toEqual(["a,r1,noiseKernel/exact,10,2,"]);
});

test("infinite stays infinite, missing is empty, and a name may hold anything", () => {
  const rows = chartCsv([line('η = 1, "big"', [0, 1], [Infinity, NaN])], "step", [0, 1]).split("\r\n");
  expect(rows[1]).toBe('"η = 1, ""big""",r1,noiseKernel/exact,0,Infinity,');
  expect(rows[2]).toBe('"η = 1, ""big""",r1,noiseKernel/exact,1,,');
});
