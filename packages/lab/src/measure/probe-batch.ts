import type { Dim } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { imageInputs, type ImageLayout, type ImageSet, type Normalisation } from "../data/image-set.js";
import type { NpyArray } from "../data/npy.js";
import { takeExamples, type Split } from "../data/dataset.js";
import { BadInput } from "../errors.js";
import { sizeOf } from "../models/model.js";
import type { OnnxModel, OnnxModelFile } from "../models/model-from-onnx.js";
import type { ProbeData } from "./probe-data.js";

export interface ProbeBatchOptions {
  /** Examples to draw at random. */
  readonly examples: number;
  /** Of the draw. */
  readonly seed: number;
  /** Of images. Default: what networks for such images are usually trained with. */
  readonly normalisation?: Partial<Normalisation> | undefined;
}

/** Examples for a model to be measured on, drawn from its data, in random order. */
export interface ProbeBatch {
  readonly model: OnnxModel;
  readonly split: Split;
  /** Of each: its place in the data. */
  readonly indices: readonly number[];
  /** N: how many there are to draw from. */
  readonly available: number;
  /** One line for people. */
  readonly description: string;
  /** The images themselves, where the data are images, in the order of the split. */
  readonly images: ImageSet | null;
}

/**
 * Fits data to a model: the order of axes, labels as one-hot rows.
 *
 * @throws BadInput naming both shapes where they do not fit, or the label that the model has no output for.
 */
export function probeBatch(file: OnnxModelFile, data: ProbeData, options: ProbeBatchOptions): ProbeBatch {
  return data.kind === "images" ? imageBatch(file, data, options) : arrayBatch(file, data, options);
}

function imageBatch(
  file: OnnxModelFile,
  { set, usual, available, skipped }: Extract<ProbeData, { kind: "images" }>,
  { examples, seed, normalisation = {} }: ProbeBatchOptions,
): ProbeBatch {
  const { shape, layout } = placeImages(file, set);
  const model = file.fit(shape);
  const indices = draw(set.examples, examples, seed);
  const images = takeImages(set, indices);
  const used = { mean: normalisation.mean ?? usual.mean, deviation: normalisation.deviation ?? usual.deviation };
  const split: Split = {
    examples: indices.length,
    inputs: imageInputs(images, used, layout),
    targets: oneHotRows(images.labels, model, set.description),
  };
  const left = skipped.length > 0 ? `; ${skipped.length} could not be read` : "";
  const scale = `(pixel/255 − ${used.mean.join(", ")})/${used.deviation.join(", ")}`;
  const description = `${indices.length} at random of ${set.description}${left}; ${scale}`;
  return { model, split, indices, available, description, images };
}

function arrayBatch(
  file: OnnxModelFile,
  { inputs, targets, description }: Extract<ProbeData, { kind: "arrays" }>,
  { examples, seed }: ProbeBatchOptions,
): ProbeBatch {
  const [available = 0, ...shape] = inputs.shape;
  if (shape.length === 0 || available === 0) {
    throw new BadInput(
      `${description}: expected inputs [examples, …], got an array of shape (${inputs.shape.join(", ")}).`,
    );
  }
  if (targets.shape[0] !== available) {
    throw new BadInput(`${description}: ${available} inputs, but targets of shape (${targets.shape.join(", ")}).`);
  }
  const model = file.fit(shape);
  for (const [name, { values }] of [
    ["inputs", inputs],
    ["targets", targets],
  ] as const) {
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new BadInput(`${description}: ${name}: expected finite numbers, got ${values[bad]} at element ${bad}.`);
  }
  const whole: Split = {
    examples: available,
    inputs: Float32Array.from(inputs.values),
    targets: targetRows(targets, model, description),
  };
  const indices = draw(available, examples, seed);
  return {
    model,
    split: takeExamples(whole, indices),
    indices,
    available,
    description: `${indices.length} at random of ${available} examples of ${description}`,
    images: null,
  };
}

/** Values as they are, whole numbers of one axis less as labels. */
function targetRows(targets: NpyArray, model: OnnxModel, source: string): Float32Array {
  const own = targets.shape.slice(1);
  if (own.join() === model.outputShape.join()) return Float32Array.from(targets.values);
  if (own.join() === model.outputShape.slice(0, -1).join()) {
    const isWhole = targets.values.every((value) => Number.isInteger(value));
    if (isWhole) return oneHotRows(targets.values, model, source);
  }
  throw new BadInput(
    `${source}: the model gives [${model.outputShape.join(", ")}] for an example; the targets have the shape ` +
      `(${targets.shape.join(", ")}), which is neither such values nor whole numbers as labels.`,
  );
}

function oneHotRows(labels: ArrayLike<number>, { outputShape }: OnnxModel, source: string): Float32Array {
  const classes = outputShape.at(-1)!;
  const rows = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(label >= 0 && label < classes)) {
      throw new BadInput(
        `${source}: label ${label}; the model has ${classes} outputs, so labels are 0…${classes - 1}.`,
      );
    }
    rows[i * classes + label] = 1;
  }
  return rows;
}

/** How images lie in what the model takes: `[C, H, W]`, `[H, W, C]`, `[H, W]` of grey ones, or flat. */
export function placeImages(
  { input }: OnnxModelFile,
  { height, width, channels, description }: ImageSet,
): { shape: number[]; layout: ImageLayout } {
  const forms: readonly (readonly [number[], ImageLayout])[] = [
    [[channels, height, width], "channels-first"],
    [[height, width, channels], "channels-last"],
    ...(channels === 1 ? [[[height, width], "channels-first"] as [number[], ImageLayout]] : []),
    [[channels * height * width], "channels-first"],
  ];
  for (const [shape, layout] of forms) if (isLike(input.shape, shape)) return { shape, layout };
  throw new BadInput(
    `the model's input "${input.name}" wants examples of shape [${input.shape.join(", ")}]; ${description} has images of ` +
      `${channels} × ${height} × ${width} (channels, height, width).`,
  );
}

const isLike = (wanted: readonly Dim[], shape: readonly number[]): boolean =>
  wanted.length === shape.length && wanted.every((dim, axis) => typeof dim === "string" || dim === shape[axis]);

/** Without repetition, in random order. */
function draw(available: number, examples: number, seed: number): number[] {
  if (examples > available) {
    throw new BadInput(`expected at most ${available} examples, as many as the data have; ${examples} were asked for.`);
  }
  const random = createRandom(`measure, ${seed}`);
  const order = Array.from({ length: available }, (_, i) => i);
  for (let i = 0; i < examples; i++) {
    const other = i + random.integer(available - i);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order.slice(0, examples);
}

function takeImages(set: ImageSet, indices: readonly number[]): ImageSet {
  const size = sizeOf([set.height, set.width, set.channels]);
  const pixels = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => pixels.set(set.pixels.subarray(index * size, (index + 1) * size), i * size));
  return {
    ...set,
    examples: indices.length,
    pixels,
    labels: Int32Array.from(indices, (index) => set.labels[index]!),
  };
}
