import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BadInput } from "../errors.js";
import { loadTrainConfig } from "./load-config.js";
import { parseTrainConfig } from "./train-config.js";

const needed = { learningRate: 0.01, batchSize: 1, steps: 100 };

describe("parseTrainConfig", () => {
  test("fills in the main example", () => {
    expect(parseTrainConfig(needed)).toEqual({
      seed: 0,
      data: { name: "mnist", examples: 1000, testExamples: 1000 },
      model: { kind: "mlp", widths: [128, 128], activation: "tanh", parameterization: "standard" },
      loss: "squared",
      momentum: 0,
      weightDecay: 0,
      sampling: "with-replacement",
      probes: { examples: 64 },
      threads: 1,
      ...needed,
    });
  });

  test("keeps what is given beside the defaults of the same section", () => {
    const config = parseTrainConfig({ ...needed, data: { examples: 200 }, probes: { every: 10 } });
    expect(config.data).toEqual({ name: "mnist", examples: 200, testExamples: 1000 });
    expect(config.probes).toEqual({ every: 10, examples: 64 });
  });

  test.each<[object, string]>([
    [{ learningRate: -1 }, "learningRate: expected a number above 0, got -1"],
    [{ learningRate: "fast" }, 'learningRate: expected a number, got "fast"'],
    [{ learningRate: NaN }, "learningRate: expected a number, got NaN"],
    [{ learningRate: undefined }, "learningRate: expected a number, got nothing"],
    [{ momentum: 1 }, "momentum: expected a number below 1, got 1"],
    [{ weightDecay: -0.1 }, "weightDecay: expected a number at least 0, got -0.1"],
    [{ batchSize: 1001 }, "batchSize: expected at most data.examples = 1000, got 1001"],
    [{ batchSize: 1.5 }, "batchSize: expected a whole number, got 1.5"],
    [{ steps: 0 }, "steps: expected a number at least 1, got 0"],
    [{ seed: -1 }, "seed: expected a number at least 0, got -1"],
    [
      { data: { name: "cifar" } },
      'data.name: expected mnist, fashion-mnist, cifar10, cifar100, image-folder, npy, npz or synthetic, got "cifar"',
    ],
    [{ data: { examples: 60_001 } }, "data.examples: expected a number at most 60000, got 60001"],
    [{ model: { activation: "sin" } }, 'model.activation: expected tanh, erf, gelu, relu, silu or identity, got "sin"'],
    [{ model: { widths: [8, 0] } }, "model.widths.1: expected a number at least 1, got 0"],
    [{ name: "" }, 'name: expected at least 1 character, got ""'],
    [
      { probes: { count: 8, every: 2 } },
      "probes.every: expected only one of count, every and budget, got count and every",
    ],
    [{ probes: { budget: 1 } }, "probes.budget: expected a number below 1, got 1"],
    [{ data: { examples: 50 } }, "probes.examples: expected at most data.examples = 50, got 64"],
    [
      { model: { layers: 3 } },
      "model.layers: unknown key; allowed are kind, widths, activation, depth, stem, norm, groups, width, size, patch, " +
        "heads, path, weights, output, layout, parameterization, baseWidth",
    ],
    [{ model: { depth: 3 } }, "model.depth: expected only with model.kind resnet or vit, got it with mlp"],
    [{ model: { kind: "resnet", depth: 3 } }, "model.depth: expected 18, 34 or 50 for a resnet, got 3"],
    [
      { model: { baseWidth: 64 } },
      "model.baseWidth: expected only with model.parameterization mup, got it with standard",
    ],
    [{ data: { name: "cifar10", examples: 50_001 } }, "data.examples: expected a number at most 50000, got 50001"],
    [{ data: { side: 32 } }, "data.side: expected only with data.name image-folder, got it with mnist"],
    [{ data: { name: "npz" } }, "data.path: expected where the files of npz are, got nothing"],
    [{ data: { labelNoise: 2 } }, "data.labelNoise: expected a number at most 1, got 2"],
    [
      { optimizer: { beta1: 0.9 } },
      "optimizer.beta1: expected only with optimizer.kind adam or adamw, got it with sgd",
    ],
    [
      { optimizer: { kind: "adam" }, momentum: 0.9 },
      "momentum: expected 0 with optimizer.kind adam, whose momentum is optimizer.beta1, got 0.9",
    ],
    [{ optimizer: { nesterov: true } }, "optimizer.nesterov: expected only with momentum above 0, got it with 0"],
    [{ optimizer: { kind: "lion" } }, 'optimizer.kind: expected sgd, adam, adamw or rmsprop, got "lion"'],
    [{ schedule: { kind: "step" } }, "schedule.every: expected a number of steps, got nothing"],
    [
      { schedule: { final: 0.1 } },
      "schedule.final: expected only with schedule.kind linear or cosine or wsd, got it with constant",
    ],
    [
      { schedule: { kind: "wsd", warmup: 60, decay: 50 } },
      "schedule.warmup: expected schedule.warmup + schedule.decay of at most steps = 100, got 110",
    ],
    [{ batchSize: 4, accumulate: 3 }, "accumulate: expected a number that divides batchSize = 4, got 3"],
    [{ labelSmoothing: 0.1 }, "labelSmoothing: expected only with loss cross-entropy, got it with squared"],
    [{ clipNorm: 0 }, "clipNorm: expected a number above 0, got 0"],
    [{ data: 3 }, "data: expected an object, got 3"],
  ])("refuses %o", (change, message) => {
    expect(() => parseTrainConfig({ ...needed, ...change })).toThrow(new BadInput(message));
  });

  test("names unknown keys, the allowed ones and every other fault in one line", () => {
    expect(() => parseTrainConfig({ ...needed, lr: 1, steps: "many" }, "run.yaml")).toThrow(
      new BadInput(
        'run.yaml: steps: expected a number, got "many"; lr: unknown key; allowed are name, seed, data, model, loss, ' +
          "labelSmoothing, learningRate, schedule, optimizer, momentum, weightDecay, clipNorm, batchSize, accumulate, " +
          "steps, sampling, probes, control, threads",
      ),
    );
    expect(() => parseTrainConfig(null)).toThrow(new BadInput("config: expected an object, got null"));
  });
});

describe("loadTrainConfig", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-config-"))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test("reads YAML and JSON to the same config", () => {
    const yaml = file("run.yaml", "learningRate: 0.03 # high\nbatchSize: 1\nsteps: 10\nmodel:\n  widths: [16]\n");
    const json = file("run.json", '{"learningRate":0.03,"batchSize":1,"steps":10,"model":{"widths":[16]}}');
    expect(loadTrainConfig(yaml)).toEqual(loadTrainConfig(json));
    expect(loadTrainConfig(yaml).model.widths).toEqual([16]);
  });

  test.each<[string, string, RegExp]>([
    ["bad.yaml", "learningRate: [1", /^.*bad\.yaml: .*line 1/],
    ["bad.json", '{"learningRate": }', /^.*bad\.json: .*JSON/],
    ["empty.yaml", "", /^.*empty\.yaml: learningRate: expected a number, got nothing; batchSize/],
    ["run.toml", "", /run\.toml: expected a file ending in \.yaml, \.yml or \.json/],
  ])("refuses %s in one line", (name, text, message) => {
    const load = () => loadTrainConfig(file(name, text));
    expect(load).toThrow(BadInput);
    expect(load).toThrow(message);
    expect(load).not.toThrow(/\n/);
  });

  test("names a file that is not there", () => {
    expect(() => loadTrainConfig(join(folder, "absent.yaml"))).toThrow(/absent\.yaml: cannot be read \(ENOENT\)/);
  });
});
