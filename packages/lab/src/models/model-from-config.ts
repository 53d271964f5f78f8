import type { ModelConfig } from "../config/model-config.js";
import type { Dataset } from "../data/dataset.js";
import { BadInput } from "../errors.js";
import { cnn } from "./cnn.js";
import { importedModel } from "./imported-model.js";
import { mlp } from "./mlp.js";
import { sizeOf, type Model } from "./model.js";
import type { OptimizerFamily } from "./parameterization.js";
import { resnet } from "./resnet.js";
import { vit } from "./vit.js";

/**
 * The model that a config describes, for the shapes of a data set.
 *
 * @throws BadInput if there is no such model for these data: images that do not split into patches.
 */
export function modelFromConfig(
  config: ModelConfig,
  dataset: Pick<Dataset, "inputShape" | "outputs">,
  family: OptimizerFamily,
): Model {
  const { inputShape, outputs } = dataset;
  // Keys that were not given must not stand in the way of a builder's own defaults.
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined)) as ModelConfig;
  const { kind, widths, activation, baseWidth, ...own } = given;
  const shared = { outputs, family, parameterization: own.parameterization, ...(baseWidth && { baseWidth }) };
  const layered = { ...(widths && { widths }), ...(activation && { activation }) };
  try {
    switch (kind) {
      case "mlp":
        return mlp({ inputs: sizeOf(inputShape), widths: [128, 128], ...layered, ...shared });
      case "cnn":
        return cnn({ inputShape, ...layered, ...shared });
      case "resnet":
        return resnet({ ...(own as ResnetConfig), inputShape, ...shared });
      case "vit":
        return vit({ ...(own as VitConfig), inputShape, ...shared });
      case "onnx":
        return importedModel({ ...own, path: own.path! }, inputShape); // the schema has seen to the path
    }
  } catch (error) {
    if (error instanceof RangeError) throw new BadInput(`model: ${error.message}`);
    throw error;
  }
}

// The schema has refused what does not belong to the kind.
type ResnetConfig = { depth?: 18 | 34 | 50; stem?: "cifar" | "imagenet"; norm?: "group" | "batch" | "none" };
type VitConfig = { size?: "mini" | "tiny" | "small" | "base"; patch?: number };
