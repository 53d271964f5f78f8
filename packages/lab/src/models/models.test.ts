import { compile } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { parseTrainConfig } from "../config/train-config.js";
import { BadInput } from "../errors.js";
import { cnn } from "./cnn.js";
import { mlp } from "./mlp.js";
import { modelFromConfig } from "./model-from-config.js";
import { sizeOf, type Model } from "./model.js";
import { resnet } from "./resnet.js";
import { vit } from "./vit.js";

const cifar = { inputShape: [32, 32, 3], outputs: 10 };
const imagenet = { inputShape: [224, 224, 3], outputs: 1000 };

// Truth: torchvision's resnet18, 34 and 50, kuangliu's resnet-18 for CIFAR, DeiT-tiny without its class token and that
// token's position (5,717,416 − 2·192); the CNN from its layers, 3·32·9 + 32 + 32·64·9 + 64 + 64·64·9 + 64 + 64·10 + 10.
test.each<[string, () => Model, number]>([
  ["cnn", () => cnn(cifar), 56_714 + 256],
  ["resnet-18 for CIFAR", () => resnet(cifar), 11_173_962],
  ["resnet-18", () => resnet({ ...imagenet, stem: "imagenet" }), 11_689_512],
  ["resnet-34", () => resnet({ ...imagenet, stem: "imagenet", depth: 34, norm: "batch" }), 21_797_672],
  ["resnet-50", () => resnet({ ...imagenet, stem: "imagenet", depth: 50 }), 25_557_032],
  ["vit tiny", () => vit({ ...imagenet, size: "tiny", patch: 16 }), 5_717_416 - 384],
])("%s has as many parameters as the original", (_, build, expected) => {
  expect(build().paramCount).toBe(expected);
});

const small = { inputShape: [8, 8, 3], outputs: 4 };
const families: [string, Model][] = [
  ["cnn", cnn({ ...small, widths: [4, 6] })],
  ["resnet, GroupNorm", resnet({ ...small, width: 4, groups: 2 })],
  ["resnet, BatchNorm", resnet({ ...small, width: 4, norm: "batch" })],
  ["resnet, none, NTK", resnet({ ...small, width: 4, norm: "none", parameterization: "ntk" })],
  ["resnet-50, μP", resnet({ ...small, width: 4, groups: 2, depth: 50, parameterization: "mup" })],
  ["vit", vit({ ...small, width: 12, depth: 2, heads: 2 })],
  ["vit, μP for Adam", vit({ ...small, width: 12, depth: 1, heads: 2, parameterization: "mup", family: "adam" })],
];

describe.each(families)("%s", (_, model) => {
  const examples = 3;
  const x = Float32Array.from(createRandom(2).normals(examples * sizeOf(model.inputShape)));

  test("starts the same from the same seed, every parameter on a stream of its own", () => {
    const [a, b, c] = [1, 1, 2].map((seed) => model.initialise(createRandom(seed)));
    expect(a).toEqual(b);
    const specs = [...model.params, ...(model.statistics ?? [])];
    expect(Object.keys(a!)).toEqual(specs.map(({ name }) => name));
    for (const { name, shape } of specs) expect(a![name]).toHaveLength(sizeOf(shape));
    expect(c).not.toEqual(a);
  });

  // Sums in another order: float32 roundings of 1e-7 through some twenty layers.
  test("makes of each example what it makes of it alone", async () => {
    const session = await compile(model.graph);
    const params = model.initialise(createRandom(1));
    const together = (await session.run({ ...params, x }))["output"]!.data as Float32Array;
    expect(together).toHaveLength(examples * model.outputs);
    for (let i = 0; i < examples; i++) {
      const size = sizeOf(model.inputShape);
      const alone = (await session.run({ ...params, x: x.subarray(i * size, (i + 1) * size) }))["output"]!.data;
      alone.forEach((value, k) =>
        expect(Math.abs(Number(value) - together[i * model.outputs + k]!)).toBeLessThan(1e-4),
      );
    }
    await session.dispose();
    expect(together.every(Number.isFinite)).toBe(true);
  });
});

// docs/lab/models-and-losses.md: a parameter is its own stream's normals times a deviation, here worked out by hand from
// the formulas there. r = 2 for every inner layer.
describe("starts from the distributions that are documented", () => {
  const wide = { widths: [64, 64], baseWidth: 32 };
  const perceptron = (rest: object) => mlp({ inputs: 16, outputs: 4, ...wide, ...rest });
  const images = { inputShape: [8, 8, 3], outputs: 4 };
  test.each<[string, Model, Record<string, number>]>([
    ["mlp", perceptron({}), { W1: 1 / 4, W2: 1 / 8, W3: 1 / 8, b1: 0, b3: 0 }],
    ["mlp, NTK", perceptron({ parameterization: "ntk" }), { W1: 1, W2: 1, W3: 1, b2: 0 }],
    ["mlp, μP for SGD", perceptron({ parameterization: "mup" }), { W1: 1 / 4 / Math.SQRT2, W2: 1 / 8, W3: 1 / 8 }],
    [
      "mlp, μP for Adam",
      perceptron({ parameterization: "mup", family: "adam" }),
      { W1: 1 / 4, W2: 2 / 8, W3: Math.SQRT2 / 8 },
    ],
    [
      "cnn",
      cnn({ ...images, widths: [8, 8] }),
      { "conv1.weight": Math.sqrt(2 / 27), "conv2.weight": Math.sqrt(2 / 72), "head.weight": Math.sqrt(1 / 8) },
    ],
    [
      "resnet",
      resnet({ ...images, width: 8 }),
      {
        "stem.weight": Math.sqrt(2 / 27),
        "stage1.block1.conv2.weight": Math.sqrt(2 / 72),
        "stage2.block1.shortcut.weight": Math.sqrt(1 / 8),
        "head.weight": Math.sqrt(1 / 64),
      },
    ],
    [
      "vit",
      vit({ ...images, width: 12, depth: 1, heads: 2 }),
      { "embed.weight": Math.sqrt(1 / 48), position: 0.02, "block1.qkv.weight": Math.sqrt(1 / 12), "head.bias": 0 },
    ],
  ])("%s", (_, model, deviations) => {
    const random = createRandom(7).fork("initialise");
    const params = model.initialise(random);
    for (const [name, deviation] of Object.entries(deviations)) {
      const normals = random.fork(name).normals(params[name]!.length);
      // Two roundings of float64 before that to float32, 6e-8 of the number.
      params[name]!.forEach((value, k) =>
        expect(Math.abs(value - deviation * normals[k]!)).toBeLessThanOrEqual(1e-7 * Math.abs(deviation * normals[k]!)),
      );
    }
    for (const [name, values] of Object.entries(params)) {
      if (name.endsWith("norm.scale")) expect(new Set(values)).toEqual(new Set([1]));
    }
  });
});

describe("modelFromConfig", () => {
  const build = (model: object, data: { inputShape: number[]; outputs: number } = small) =>
    modelFromConfig(parseTrainConfig({ learningRate: 1, batchSize: 1, steps: 1, model }).model, data, "sgd");

  test("builds what the builders build", () => {
    expect(build({}).description).toBe("mlp 192-128-128-4, tanh");
    expect(build({ kind: "cnn" }).description).toBe(cnn(small).description);
    expect(build({ kind: "resnet", depth: 34, norm: "none" }).description).toBe(
      resnet({ ...small, depth: 34, norm: "none" }).description,
    );
    expect(build({ kind: "vit", size: "tiny", depth: 1 }).description).toBe(
      vit({ ...small, size: "tiny", depth: 1 }).description,
    );
    expect(build({ parameterization: "mup" }).description).toBe("mlp 192-128-128-4, tanh, μP for SGD");
  });

  test.each<[object, { inputShape: number[]; outputs: number }, string]>([
    [{ kind: "vit", patch: 3 }, small, "model: vit: expected a patch that divides 8 and 8, got 3."],
    [{ kind: "vit", heads: 5 }, small, "model: vit: expected heads that divide the width 192, got 5."],
    [{ kind: "resnet", groups: 7 }, small, "model: resnet: expected groups that divide the width 64, got 7."],
    [{ kind: "cnn", widths: [] }, small, "model: cnn: expected widths of one convolution at least, got none."],
    [
      { kind: "cnn" },
      { inputShape: [32], outputs: 1 },
      "model: cnn: expected inputs of height, width and channels, got [32].",
    ],
  ])("refuses %o", (model, data, message) => {
    expect(() => build(model, data)).toThrow(new BadInput(message));
  });
});
