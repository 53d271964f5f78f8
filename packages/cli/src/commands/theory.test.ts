import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryIo } from "../memory-io.js";
import { run } from "../program.js";

/** Copies of the reference files travel with the theory package. */
const referenceFile = new URL("../../../theory/src/fixtures/linear-theory.json", import.meta.url);
const reference = JSON.parse(readFileSync(referenceFile, "utf8")) as { cases: Record<string, unknown>[] };

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-theory-"))));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array | object): string {
  const path = join(folder, name);
  const plain = typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content);
  writeFileSync(path, plain);
  return path;
}

async function sedge(...argv: string[]) {
  const io = memoryIo();
  return { code: await run(["theory", ...argv], io), stdout: io.stdout, stderr: io.stderr };
}

/** Θ of two examples that share nothing: eigenvalues 2 and 1, so every K is known in closed form. */
const diagonalNtk = [2, 0, 0, 1];
const minimal = { examples: 2, ntk: diagonalNtk, learningRate: 0.25, batchSize: 1, sampling: "bernoulli" };

function npy(values: readonly number[], rows: number, columns: number): Uint8Array {
  const dictionary = `{'descr': '<f8', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const header = `${dictionary.padEnd(117)}\n`;
  const prefix = [0x93, ...Buffer.from("NUMPY"), 1, 0, header.length & 255, header.length >> 8];
  return Buffer.concat([Buffer.from(prefix), Buffer.from(header), Buffer.from(new Float64Array(values).buffer)]);
}

describe("sedge theory", () => {
  test("gives every value of every reference case under its own key", async () => {
    const { code, stdout, stderr } = await sedge(file("reference.json", reference), "--json");
    expect([code, stderr]).toEqual([0, ""]);
    const { cases } = JSON.parse(stdout) as { cases: Record<string, number>[] };
    expect(cases).toHaveLength(reference.cases.length);
    // Truth: linear-theory.json, computed with NumPy and SciPy. Tolerances are those it was computed to.
    for (const [i, expected] of reference.cases.entries()) {
      for (const key of ["lambdaMax", "trace", "kExact", "kDiagonal", "kHighDim", "kTrace", "spectralRadius"]) {
        expectRelative(cases[i]![key]!, expected[key] as number, 1e-8);
      }
      for (const key of ["criticalLearningRateExact", "criticalLearningRateDiagonal"]) {
        if (expected[key] === null) expect(cases[i]![key]).toBeNull();
        else expectRelative(cases[i]![key]!, expected[key] as number, 1e-6);
      }
    }
  });

  test("a kernel of two separate examples has K = ηλ/(2−ηλ) of the larger mode", async () => {
    // Bernoulli, B = 1 of 2: c = 1 and κ = 1. Each mode lives on one example, so W ↦ bd(…) is diag(G_μμ).
    const { stdout } = await sedge(file("two.json", minimal), "--json");
    const result = JSON.parse(stdout) as Record<string, number>;
    expectRelative(result["kExact"]!, 0.5 / 1.5, 1e-12);
    expectRelative(result["kDiagonal"]!, 0.5 / 1.5, 1e-12);
    expectRelative(result["deterministicRatio"]!, 0.25, 1e-15);
    // K = 1 at ηλ = 1.
    expectRelative(result["criticalLearningRateExact"]!, 0.5, 1e-9);
  });

  test("the same kernel as .npy, with its settings as flags, gives the same answer", async () => {
    const flags = ["--learning-rate", "0.25", "--batch-size", "1", "--sampling", "bernoulli", "--json"];
    const fromNpy = JSON.parse((await sedge(file("k.npy", npy(diagonalNtk, 2, 2)), ...flags)).stdout) as object;
    const fromJson = JSON.parse((await sedge(file("k.json", minimal), "--json")).stdout) as object;
    expect(fromNpy).toEqual({ name: "k.npy", ...fromJson });
  });

  test("flags go before the file", async () => {
    const { stdout } = await sedge(file("flags.json", minimal), "--learning-rate", "0.125", "--json");
    expectRelative((JSON.parse(stdout) as { deterministicRatio: number }).deterministicRatio, 0.125, 1e-15);
  });

  test("Nesterov's momentum has its own deterministic edge, 2(1+m)/((1+2m)λ_max)", async () => {
    const path = file("nesterov.json", { ...minimal, momentum: 0.5 });
    const edge = async (...flags: string[]) =>
      JSON.parse((await sedge(path, "--json", ...flags)).stdout) as { criticalLearningRateDeterministic: number };
    expectRelative((await edge("--nesterov")).criticalLearningRateDeterministic, 3 / (2 * 2), 1e-12);
    expectRelative((await edge()).criticalLearningRateDeterministic, 3 / 2, 1e-12);
    const { stdout } = await sedge(path, "--nesterov");
    expect(stdout).toContain("m = 0.5 (Nesterov)");
  });

  test("past the deterministic edge K is infinite and the page says which edge is crossed", async () => {
    const past = file("past.json", { ...minimal, learningRate: 1.5 });
    expect((JSON.parse((await sedge(past, "--json")).stdout) as { kExact: unknown }).kExact).toBe("Infinity");
    const { stdout } = await sedge(past);
    expect(stdout).toMatch(/K exact +∞/);
    expect(stdout).toMatch(/verdict +beyond the deterministic edge/);
  });

  test("the page shows both edges and the critical values", async () => {
    const { stdout } = await sedge(file("page.json", { ...minimal, residual: [1, 1] }));
    expect(stdout).toMatch(/K exact +0\.33/);
    expect(stdout).toMatch(/critical η +0\.50000 \(stochastic edge\), 1\.0000 \(deterministic edge\)/);
    expect(stdout).toMatch(/expected loss +0\.5000 at the start/);
  });

  test.each<[string, string | Uint8Array | object, string[], RegExp]>([
    ["bad.json", "{", [], /bad\.json: not JSON: /],
    ["list.json", "[1]", [], /list\.json: expected an object, or an object with "cases"/],
    ["empty.json", { cases: [] }, [], /cases: expected an array with an entry/],
    ["beside.json", { cases: [minimal], extra: 1 }, [], /extra: unknown key; beside "cases" only "about"/],
    ["entry.json", { cases: [minimal, 3] }, [], /cases\.1: expected an object/],
    ["unknown.json", { ...minimal, lerningRate: 1 }, [], /lerningRate: unknown key; allowed are name, examples/],
    ["rate.json", { ...minimal, learningRate: -1 }, [], /learningRate: expected a number above 0, got -1/],
    ["momentum.json", { ...minimal, momentum: 1 }, [], /momentum: expected a number below 1, got 1/],
    ["sampling.json", { ...minimal, sampling: "some" }, [], /sampling: expected .*bernoulli.*, got "some"/],
    ["both.json", { ...minimal, jacobian: [1, 2] }, [], /expected either jacobian or ntk, got both/],
    ["neither.json", { ...minimal, ntk: undefined }, [], /expected either jacobian or ntk, got neither/],
    [
      "size.json",
      { ...minimal, ntk: [1, 2, 3] },
      [],
      /ntk: expected \(examples × outputs\)² = \(2 × 1\)² = 4 numbers, got 3/,
    ],
    [
      "residual.json",
      { ...minimal, residual: [1] },
      [],
      /residual: expected examples × outputs = 2 × 1 = 2 numbers, got 1/,
    ],
    [
      "params.json",
      { ...minimal, ntk: undefined, jacobian: [1, 2], params: 2 },
      [],
      /jacobian: expected .* = 4 numbers, got 2/,
    ],
    ["null.json", { ...minimal, ntk: [1, null, null, 1] }, [], /ntk\.1: expected a number, got null/],
    ["batch.json", { ...minimal, batchSize: 3 }, [], /batchSize: expected an integer from 1 to 2, got 3/],
    [
      "asymmetric.json",
      { ...minimal, ntk: [2, 1, 0, 1] },
      [],
      /ntk: expected a symmetric matrix, got 0 at row 1, column 0/,
    ],
    ["negative.json", { ...minimal, ntk: [1, 0, 0, -1] }, [], /ntk: expected a positive semidefinite matrix/],
    [
      "wide.npy",
      npy([1, 2, 3, 4, 5, 6], 2, 3),
      ["--learning-rate", "1", "--batch-size", "1"],
      /square matrix, the NTK, got an array of shape \(2, 3\)/,
    ],
    ["short.npy", npy([1, 2], 2, 2), [], /expected 32 bytes of data for shape \(2, 2\) of <f8, got 16/],
    ["text.npy", "hello, world", [], /not a \.npy file/],
    ["nan.npy", npy([1, NaN, NaN, 1], 2, 2), ["--learning-rate", "1", "--batch-size", "1"], /ntk.*got NaN/],
    [
      "outputs.npy",
      npy(diagonalNtk, 2, 2),
      ["--outputs", "3", "--learning-rate", "1", "--batch-size", "1"],
      /--outputs: expected a whole number that divides the 2 rows, got 3/,
    ],
    [
      "needed.npy",
      npy(diagonalNtk, 2, 2),
      [],
      /learningRate: expected a number, got nothing; batchSize: expected a number, got nothing/,
    ],
    ["flag.json", minimal, ["--batch-size", "two"], /batchSize: expected a number, got "two"/],
  ])("refuses %s in one line", async (name, content, flags, message) => {
    const { code, stdout, stderr } = await sedge(file(name, content), ...flags);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/^sedge theory: /);
    expect([code, stdout]).toEqual([2, ""]);
  });

  test("a thousand faults make a short line", async () => {
    const ntk = new Array(1600).fill("x");
    const { stderr } = await sedge(file("many.json", { ...minimal, examples: 40, ntk }));
    expect(stderr).toMatch(/; and 1596 more\.$/m);
    expect(stderr.length).toBeLessThan(500);
  });

  test("a file that is not there is named", async () => {
    const { code, stderr } = await sedge(join(folder, "absent.json"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/absent\.json: cannot be read \(ENOENT\)/);
  });
});

function expectRelative(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * Math.abs(expected));
}

test("a fault in a later case leaves nothing half-said", async () => {
  const cases = file("later.json", { cases: [minimal, { ...minimal, batchSize: 3 }] });
  for (const flags of [[], ["--json"]]) {
    const { code, stdout, stderr } = await sedge(cases, ...flags);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/cases\.1: .*batchSize: expected an integer from 1 to 2, got 3/);
  }
});
