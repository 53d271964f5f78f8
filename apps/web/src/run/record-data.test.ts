import { describe, expect, test } from "vitest";
import {
  advice,
  attribution,
  decision,
  hessianDensity,
  probeSpectrum,
  recordAt,
  recordsOf,
  responsibleExamples,
} from "./record-data.js";

describe("records from elsewhere", () => {
  test("are taken where they can be read, and left out where not", () => {
    const records = [
      { step: 0, time: 0, kind: "spectrum/ntk", data: { eigenvalues: [0, "Infinity"], examples: 1, edge: "NaN" } },
      { step: 5, time: 0, kind: "spectrum/ntk", data: { eigenvalues: "many" } },
      { step: 9, time: 0, kind: "attribution", data: { layers: [] } },
    ];
    expect(recordsOf(records, "spectrum/ntk", probeSpectrum)).toEqual([
      { step: 0, eigenvalues: [0, Infinity], examples: 1, edge: NaN, residuals: null, loss: NaN },
    ]);
    expect(recordsOf(records, "attribution", attribution)).toEqual([]);
    for (const decode of [hessianDensity, responsibleExamples, decision, advice]) expect(decode({})).toBeNull();
  });

  test("an image is there only if its bytes are all there", () => {
    const image = { width: 2, height: 1, channels: 1, pixels: btoa("\u0000\u00ff") };
    const of = (value: unknown) => responsibleExamples({ responsible: [{ index: 3, weight: 1, image: value }] });
    expect([...of(image)!.responsible[0]!.image!.pixels]).toEqual([0, 255]);
    for (const broken of [{ ...image, width: 3 }, { ...image, pixels: "?" }, "png", null]) {
      expect(of(broken)!.responsible[0]!.image).toBeNull();
    }
  });

  test("advice without statements is its text", () => {
    expect(advice({ text: "Halve η." })).toEqual({ text: "Halve η.", temper: "", statements: [] });
    const change = { learningRate: 0.01 };
    const statement = { about: "learning-rate", text: "Halve η.", confidence: "sure", change };
    expect(advice({ statements: [statement] })!.statements[0]!.change).toEqual({ learningRate: 0.01, batchSize: NaN });
  });
});

test("the record in force at a step is the last at or before it, else the first", () => {
  const records = [{ step: 10 }, { step: 20 }];
  expect([5, 10, 19, 1e9].map((step) => recordAt(records, step)?.step)).toEqual([10, 10, 10, 20]);
  expect(recordAt([], 3)).toBeNull();
});
