import { graph } from "@sedge/autodiff";
import { BadInput } from "../errors.js";
import { modelFromOnnx, type OnnxModelOptions } from "./model-from-onnx.js";
import { copyParams, sizeOf, type Model } from "./model.js";

export interface ImportedModelOptions extends OnnxModelOptions {
  /** The ONNX file. */
  readonly path: string;
  /**
   * How images are handed over: `channels-first` [C, H, W], as PyTorch has them and flattens them (default), or as data
   * sets keep them, `channels-last` [H, W, C].
   */
  readonly layout?: "channels-first" | "channels-last" | undefined;
}

/**
 * An ONNX file as a model to train. Training starts from the file's weights, whatever the seed.
 *
 * The graph reads examples as data sets have them, [H, W, C] for images, and brings them into the file's own shape.
 *
 * @param inputShape  Of the data's examples.
 * @throws BadInput in one line, if the file is at fault or is made for examples of another size.
 */
export function importedModel(
  { path, layout = "channels-first", ...options }: ImportedModelOptions,
  inputShape: readonly number[],
): Model {
  const file = modelFromOnnx(path, options);
  const isImage = inputShape.length === 3;
  const moved = isImage && layout === "channels-first" ? [inputShape[2]!, inputShape[0]!, inputShape[1]!] : inputShape;
  const wanted = file.input.shape;
  if (isImage && moved !== inputShape && inputShape[2] !== 1 && String(wanted) === String(inputShape)) {
    throw new BadInput(
      `${path}: input "${file.input.name}" wants [${wanted.join(", ")}], images with their channels last: set model.layout to channels-last.`,
    );
  }
  // A fixed shape of as many numbers is the same memory: [784] for [1, 28, 28]. Free axes take the data's.
  const isFixed = wanted.every((axis) => typeof axis === "number");
  const shape = isFixed && sizeOf(wanted) === sizeOf(moved) ? wanted : moved;
  const { graph: inner, params, paramCount, outputs, description, values } = file.fit(shape);
  const wrapped = graph(
    (b) => {
      const x = b.input("x", ["batch", ...inputShape]);
      const ordered = moved === inputShape ? x : b.transpose(x, [0, 3, 1, 2]);
      const given = String(moved) === String(shape) ? ordered : b.reshape(ordered, [x.shape[0]!, ...shape]);
      const own = Object.fromEntries(params.map((spec) => [spec.name, b.input(spec.name, spec.shape)]));
      const output = b.call(inner, { x: given, ...own })["output"]!;
      return { output: output.shape.length === 2 ? output : b.reshape(output, [x.shape[0]!, outputs]) };
    },
    { name: "imported" },
  );
  return {
    graph: wrapped,
    description,
    inputShape,
    outputs,
    params,
    paramCount,
    initialise: () => copyParams(values),
  };
}
