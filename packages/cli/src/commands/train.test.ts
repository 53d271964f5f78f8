import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryIo } from "../memory-io.js";
import { run } from "../program.js";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-train-"))));
afterAll(() => rmSync(folder, { recursive: true }));

async function train(...argv: string[]) {
  const io = memoryIo();
  const store = join(folder, "store");
  const code = await run(["train", ...argv, "--store", store], io);
  return { code, stdout: io.stdout, stderr: io.stderr, trace: existsSync(store) };
}

function config(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("sedge train refuses in one line, with exit code 2, and leaves no trace", () => {
  const good = ["--learning-rate", "0.01", "--batch-size", "1", "--steps", "10"];
  test.each<[string, () => string[], RegExp]>([
    [
      "an unknown key",
      () => [config("key.yaml", "lerningRate: 1"), ...good],
      /lerningRate: unknown key; allowed are name,/,
    ],
    [
      "a nested unknown key",
      () => [config("nested.yaml", "model: { layers: 2 }"), ...good],
      /model\.layers: unknown key; allowed are kind/,
    ],
    [
      "a negative learning rate",
      () => ["mnist-fcn", "--learning-rate", "-1"],
      /learningRate: expected a number above 0, got -1/,
    ],
    [
      "a batch above N",
      () => ["mnist-fcn", "--batch-size", "2000"],
      /batchSize: expected at most data\.examples = 1000, got 2000/,
    ],
    [
      "a probe above N",
      () => ["mnist-fcn", "--data.examples", "32"],
      /probes\.examples: expected at most data\.examples = 32, got 64/,
    ],
    [
      "both cadences",
      () => ["mnist-fcn", "--probes.count", "4", "--probes.every", "9"],
      /probes\.every: expected only one of count, every and budget, got count and every/,
    ],
    ["a word for a number", () => ["mnist-fcn", "--steps", "many"], /steps: expected a number, got "many"/],
    [
      "a wrong name",
      () => ["mnist-fcn", "--model.activation", "sin"],
      /model\.activation: expected tanh, erf, gelu, relu, silu or identity, got "sin"/,
    ],
    [
      "what is missing",
      () => ["--learning-rate", "1"],
      /batchSize: expected a number, got nothing; steps: expected a number, got nothing/,
    ],
    [
      "an unknown preset",
      () => ["mnist-fnc"],
      /"mnist-fnc": expected a \.yaml, \.yml or \.json file that exists, or a preset: mnist-fcn,/,
    ],
    ["broken YAML", () => [config("broken.yaml", "learningRate: [1")], /broken\.yaml: .*line 1/],
    ["broken JSON", () => [config("broken.json", "{")], /broken\.json: /],
    [
      "another kind of file",
      () => [config("run.toml", "")],
      /run\.toml: expected a file ending in \.yaml, \.yml or \.json/,
    ],
    [
      "a data folder that is none",
      () => ["mnist-fcn", "--data.path", join(folder, "nowhere")],
      /data\.path: .*nowhere is not a folder/,
    ],
  ])("%s", async (_, argv, message) => {
    const { code, stdout, stderr, trace } = await train(...argv());
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^sedge train: [^\n]+\n$/);
    expect({ code, stdout, trace }).toEqual({ code: 2, stdout: "", trace: false });
  });
});
