import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const folder = dirname(fileURLToPath(import.meta.url));

/** What a program prints, run as its first lines say, on the built packages. */
async function run(name: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, name)]);
  return stdout;
}

const number = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1]);

test("critical-values.mjs: inside the edge the loss falls; outside it grows, where the diagonal norm still says stable", async () => {
  const [edge, inside, outside, batch] = (await run("critical-values.mjs")).split("\n") as [
    string,
    string,
    string,
    string,
  ];
  expect(number(edge, /: ([\d.]+)$/)).toBeGreaterThan(0);
  expect(number(inside, /K = ([\d.]+)/)).toBeLessThan(1);
  expect(number(inside, /steps (\S+)$/)).toBeLessThan(1e-3);
  expect(number(outside, /K = ([\d.]+)/)).toBeGreaterThan(1);
  expect(number(outside, /diagonal ([\d.]+)/)).toBeLessThan(1);
  expect(number(outside, /steps (\S+)$/)).toBeGreaterThan(1e3);
  expect(number(batch, /to be (\d+)/)).toBe(5);
});

test("custom-probe.mjs: its metric stands beside K, and the run is judged", async () => {
  const text = await run("custom-probe.mjs");
  expect(number(text, /‖θ‖ = ([\d.]+)/)).toBeGreaterThan(1);
  expect(number(text, /K = ([\d.]+)/)).toBeGreaterThan(0);
  expect(text).toMatch(/edge.*λ_max·η\/2 = /);
});

test("onnx-model.mjs: a gradient for every parameter of the file, and a curvature", async () => {
  const text = await run("onnx-model.mjs");
  expect(text.match(/‖∂loss\/∂/g)).toHaveLength(4);
  expect(number(text, /vᵀHv.* = ([\d.]+)/)).toBeGreaterThan(0);
});

// Without hidden layers the same run gets 0.885: more needs a bent border between the moons.
test("own-data.mjs: learns what it was given, and is judged", async () => {
  const text = await run("own-data.mjs");
  expect(number(text, /test accuracy ([\d.]+)/)).toBeGreaterThan(0.95);
  expect(number(text, /K = ([\d.]+)/)).toBeGreaterThan(0);
  expect(text).toMatch(/edge/);
});

// 1 is past the deterministic edge at the start, λ_max being above 20, and B = 1 never lets it come back.
test("sweep.mjs: K rises with the learning rate until the run diverges", async () => {
  const lines = (await run("sweep.mjs")).trim().split("\n");
  expect(lines).toHaveLength(4);
  const [low, middle] = lines.map((line) => number(line, /K = ([\d.]+)/));
  expect(low).toBeLessThan(middle!);
  expect(lines.map((line) => / (finished|diverged),/.exec(line)?.[1])).toEqual([
    "finished",
    "finished",
    "finished",
    "diverged",
  ]);
});

test("there is a test for each program", () => {
  const programs = readdirSync(folder).filter((name) => name.endsWith(".mjs"));
  expect(programs).toEqual(["critical-values.mjs", "custom-probe.mjs", "onnx-model.mjs", "own-data.mjs", "sweep.mjs"]);
});
