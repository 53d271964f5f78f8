import { describe, expect, test } from "vitest";
import { BadInput } from "../errors.js";
import { oneHot, type Dataset } from "./dataset.js";
import { withLabelNoise } from "./label-noise.js";
import { synthetic, syntheticSpectrum } from "./synthetic.js";

describe("synthetic", () => {
  test("inputs have the spectrum asked for, and no correlations", () => {
    const [examples, inputs] = [20_000, 8];
    const { train } = synthetic({ examples, testExamples: 1, inputs, exponent: 1.5 });
    const spectrum = syntheticSpectrum(inputs, 1.5);
    expect(spectrum.reduce((sum, x) => sum + x, 0) / inputs).toBeCloseTo(1, 14);
    expect(spectrum[0]! / spectrum[3]!).toBeCloseTo(4 ** 1.5, 12);
    for (let a = 0; a < inputs; a++) {
      for (let c = 0; c <= a; c++) {
        let sum = 0;
        for (let i = 0; i < examples; i++) sum += train.inputs[i * inputs + a]! * train.inputs[i * inputs + c]!;
        // The mean of products of normals has standard error √(λ_a λ_c (1 + [a = c])/n); five of them, for 36 entries.
        const scale = Math.sqrt(spectrum[a]! * spectrum[c]!);
        const expected = a === c ? scale : 0;
        expect(Math.abs(sum / examples - expected)).toBeLessThan((5 * Math.SQRT2 * scale) / Math.sqrt(examples));
      }
    }
  });

  test("a linear teacher without noise is one linear map for training and test set", () => {
    const inputs = 3;
    const { train, test } = synthetic({ examples: 3, testExamples: 4, inputs, outputs: 2, seed: 5 });
    // Three examples determine the map: every test input is a combination of theirs, and its target the same one.
    const combination = (row: ArrayLike<number>) => solve3(train.inputs, row);
    for (let i = 0; i < test.examples; i++) {
      const weights = combination(test.inputs.subarray(i * inputs, (i + 1) * inputs));
      for (let c = 0; c < 2; c++) {
        const expected = weights.reduce((sum, w, j) => sum + w * train.targets[j * 2 + c]!, 0);
        // float32 inputs and targets through a 3×3 solve of moderate condition.
        expect(Math.abs(test.targets[i * 2 + c]! - expected)).toBeLessThan(1e-4);
      }
    }
  });

  test("noise has the deviation asked for, a seed gives the same data, another other data", () => {
    const options = { examples: 5000, testExamples: 1, inputs: 4, teacher: "mlp" } as const;
    const [clean, noisy] = [synthetic(options), synthetic({ ...options, noise: 0.5 })];
    expect(noisy.train.inputs).toEqual(clean.train.inputs);
    const variance = noisy.train.targets.reduce((sum, y, i) => sum + (y - clean.train.targets[i]!) ** 2, 0) / 5000;
    expect(Math.abs(variance / 0.25 - 1)).toBeLessThan(5 * Math.sqrt(2 / 5000));
    expect(synthetic(options).train).toEqual(clean.train);
    expect(synthetic({ ...options, seed: 1 }).train.inputs).not.toEqual(clean.train.inputs);
  });
});

describe("withLabelNoise", () => {
  const [examples, classes] = [10_000, 10];
  const labels = Uint8Array.from({ length: examples }, (_, i) => i % classes);
  const dataset: Dataset = {
    name: "digits",
    description: "digits",
    inputShape: [1],
    outputs: classes,
    train: { examples, inputs: new Float32Array(examples), targets: oneHot(labels, classes, "labels") },
    test: { examples: 1, inputs: new Float32Array(1), targets: oneHot(Uint8Array.of(3), classes, "labels") },
  };
  const changed = ({ train }: Dataset) => {
    let count = 0;
    for (let i = 0; i < examples; i++) count += train.targets[i * classes + labels[i]!] === 1 ? 0 : 1;
    return count;
  };

  test("changes the share asked for, but for labels redrawn as they were", () => {
    for (const share of [0.2, 1]) {
      const noisy = withLabelNoise(dataset, share);
      const p = share * (1 - 1 / classes);
      expect(Math.abs(changed(noisy) - examples * p)).toBeLessThan(5 * Math.sqrt(examples * p * (1 - p)));
      for (let i = 0; i < examples; i++) {
        const row = noisy.train.targets.subarray(i * classes, (i + 1) * classes);
        expect(row.reduce((sum, y) => sum + y, 0)).toBe(1);
      }
      expect(noisy.test).toBe(dataset.test);
    }
    expect(changed(withLabelNoise(dataset, 0))).toBe(0);
  });

  test("more noise changes the same labels and more", () => {
    const [some, more] = [withLabelNoise(dataset, 0.1), withLabelNoise(dataset, 0.3)];
    for (let i = 0; i < examples; i++) {
      const at = (d: Dataset) => Array.from(d.train.targets.subarray(i * classes, (i + 1) * classes)).indexOf(1);
      if (at(some) !== labels[i]) expect(at(more)).toBe(at(some));
    }
  });

  test("refuses targets that are no labels", () => {
    expect(() => withLabelNoise(synthetic({ examples: 2, testExamples: 1, outputs: 3 }), 0.5)).toThrow(BadInput);
  });
});

/** w with wᵀA = row for a 3×3 matrix A, by Cramer's rule. */
function solve3(a: ArrayLike<number>, row: ArrayLike<number>): number[] {
  const det = (m: number[]) =>
    m[0]! * (m[4]! * m[8]! - m[5]! * m[7]!) -
    m[1]! * (m[3]! * m[8]! - m[5]! * m[6]!) +
    m[2]! * (m[3]! * m[7]! - m[4]! * m[6]!);
  const matrix = Array.from(a);
  const whole = det(matrix);
  return [0, 1, 2].map((j) => det(matrix.map((value, k) => (Math.floor(k / 3) === j ? row[k % 3]! : value))) / whole);
}
