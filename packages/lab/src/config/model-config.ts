import { z } from "zod";
import { activations } from "../models/activation.js";

const count = () => z.int().min(1);

/** Which network; what it is for each data set follows from the data. Formulas and defaults: the builders in models/. */
export const modelSchema = z.strictObject({
  kind: z.enum(["mlp", "cnn", "resnet", "vit", "onnx"]).default("mlp").describe("Which model"),
  widths: z
    .array(count())
    .max(64)
    .optional()
    .describe("mlp: hidden layers, none for a linear model; cnn: channels. Default 128,128; cnn 32,64,64"),
  activation: z.enum(activations).optional().describe("mlp, cnn: between the layers. Default tanh; cnn gelu"),
  depth: count().max(1000).optional().describe("resnet: 18, 34 or 50; vit: blocks. Default 18; vit by its size"),
  stem: z.enum(["cifar", "imagenet"]).optional().describe("resnet: first layers. Default cifar"),
  norm: z.enum(["group", "batch", "none"]).optional().describe("resnet: normalisation. Default group"),
  groups: count().optional().describe("resnet: groups of GroupNorm. Default 8"),
  width: count().optional().describe("resnet: channels of the first stage; vit: width. Default 64; vit by its size"),
  size: z.enum(["mini", "tiny", "small", "base"]).optional().describe("vit: width, blocks and heads. Default mini"),
  patch: count().optional().describe("vit: side of a patch. Default 4"),
  heads: count().optional().describe("vit: attention heads. Default by its size"),
  path: z.string().min(1).optional().describe("onnx: the file; training starts from its weights"),
  weights: z.string().min(1).optional().describe("onnx: a safetensors file with weights in place of the file's own"),
  output: z.string().min(1).optional().describe("onnx: which output, where there are several"),
  layout: z
    .enum(["channels-first", "channels-last"])
    .optional()
    .describe("onnx: how images are handed over. Default channels-first, as PyTorch has them"),
  parameterization: z
    .enum(["standard", "ntk", "mup"])
    .default("standard")
    .describe("How the scale of weights and of their updates depends on width"),
  baseWidth: count()
    .optional()
    .describe("mup: width at which it equals standard. Default 128; cnn 32, resnet 64, vit 192"),
});

export type ModelConfig = z.output<typeof modelSchema>;

const settings: Readonly<Record<ModelConfig["kind"], Readonly<Record<string, unknown>>>> = {
  mlp: { widths: [128, 128], activation: "tanh" },
  cnn: { widths: [32, 64, 64], activation: "gelu" },
  resnet: { depth: 18, stem: "cifar", norm: "group", groups: undefined, width: 64 },
  vit: { size: "mini", patch: 4, width: undefined, depth: undefined, heads: undefined },
  onnx: { path: undefined, weights: undefined, output: undefined, layout: "channels-first" },
};

const common = ["kind", "parameterization", "baseWidth"];

/** The config with its kind's defaults written out. */
export function completeModel(model: ModelConfig): ModelConfig {
  const defaults = Object.entries(settings[model.kind]).filter(([, value]) => value !== undefined);
  const groups = model.kind === "resnet" && (model.norm ?? "group") === "group" ? { groups: 8 } : {};
  const given = Object.entries(model).filter(([, value]) => value !== undefined);
  const { kind, parameterization, ...own } = Object.fromEntries(given) as ModelConfig;
  return { kind, ...Object.fromEntries(defaults), ...groups, ...own, parameterization };
}

/** What of a model's settings does not fit its kind: key and message. */
export function modelFaults(model: ModelConfig): { readonly path: string[]; readonly message: string }[] {
  const faults = Object.entries(model)
    .filter(([key, value]) => value !== undefined && !common.includes(key) && !(key in settings[model.kind]))
    .map(([key]) => {
      const owners = Object.entries(settings).filter(([, keys]) => key in keys);
      return {
        path: ["model", key],
        message: `expected only with model.kind ${owners.map(([owner]) => owner).join(" or ")}, got it with ${model.kind}`,
      };
    });
  if (model.kind === "resnet" && model.depth !== undefined && ![18, 34, 50].includes(model.depth)) {
    faults.push({ path: ["model", "depth"], message: `expected 18, 34 or 50 for a resnet, got ${model.depth}` });
  }
  if (model.kind === "onnx" && model.path === undefined) {
    faults.push({ path: ["model", "path"], message: "expected the ONNX file, got nothing" });
  }
  if (model.kind === "onnx" && model.parameterization !== "standard") {
    faults.push({
      path: ["model", "parameterization"],
      message: `expected standard for an imported model, which is as its file says, got ${model.parameterization}`,
    });
  }
  if (model.baseWidth !== undefined && model.parameterization !== "mup") {
    faults.push({
      path: ["model", "baseWidth"],
      message: `expected only with model.parameterization mup, got it with ${model.parameterization}`,
    });
  }
  return faults;
}
