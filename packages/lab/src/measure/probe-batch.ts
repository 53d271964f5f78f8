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
  /** Of the first so many of the data only, as those that a run trains on are. Default all. */
  readonly first?: number | undefined;
  /** Of the draw. */
  readonly seed: number;
  /** Of images. Default: what networks for such images are usually trained with. */
  readonly normalisation?: Partial<Normalisation> | undefined;
  /** Of one example's target, as the loss takes it. Default: that of the output, with labels as one-hot rows. */
  readonly targetShape?: readonly number[] | undefined;
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
  /** The images' files, where each has one of its own. */
  readonly paths: readonly string[] | null;
}

/**
 * Fits data to a model: the order of axes, several inputs side by side, labels as one-hot rows.
 *
 * @throws BadInput naming both shapes where they do not fit, or the label that the model has no output for.
 */
export function probeBatch(file: OnnxModelFile, data: ProbeData, options: ProbeBatchOptions): ProbeBatch {
  return data.kind === "images" ? imageBatch(file, data, options) : arrayBatch(file, data, options);
}

function imageBatch(
  file: OnnxModelFile,
  { set, usual, available, skipped, paths }: Extract<ProbeData, { kind: "images" }>,
  { examples, first, seed, normalisation = {}, targetShape }: ProbeBatchOptions,
): ProbeBatch {
  if (file.inputs.length > 1) {
    const names = file.inputs.map(({ name }) => `"${name}"`).join(", ");
    throw new BadInput(
      `${set.description}: the model has the data inputs ${names}: expected a .npz file with an array for each, got images.`,
    );
  }
  const { shape, layout } = placeImages(file, set);
  const model = file.fit(shape);
  if (first !== undefined && paths !== null) {
    throw new BadInput(`first: expected data with an order of their own, got ${first} of folders of images.`);
  }
  const indices = draw(first ?? set.examples, examples, seed);
  const images = takeImages(set, indices);
  const used = { mean: normalisation.mean ?? usual.mean, deviation: normalisation.deviation ?? usual.deviation };
  const split: Split = {
    examples: indices.length,
    inputs: imageInputs(images, used, layout),
    targets: targetRows({ shape: [indices.length], values: images.labels }, model, set.description, targetShape),
  };
  const left = skipped.length > 0 ? `; ${skipped.length} could not be read` : "";
  const scale = `(pixel/255 − ${used.mean.join(", ")})/${used.deviation.join(", ")}`;
  const description = `${indices.length} at random of ${ofFirst(first)}${set.description}${left}; ${scale}`;
  return {
    ...{ model, split, indices, available: first ?? available, description, images },
    paths: paths === null ? null : indices.map((index) => paths[index]!),
  };
}

function arrayBatch(
  file: OnnxModelFile,
  { inputs, targets, description }: Extract<ProbeData, { kind: "arrays" }>,
  { examples, first, seed, targetShape }: ProbeBatchOptions,
): ProbeBatch {
  const arrays = inputsOf(file, inputs, description);
  const available = arrays[0]![1].shape[0] ?? 0;
  for (const [name, { shape }] of arrays) {
    if (shape.length === 0 || shape[0] !== available || available === 0) {
      throw new BadInput(
        `${description}: expected ${name} [${available === 0 ? "examples" : available}, …], got an array of shape (${shape.join(", ")}).`,
      );
    }
  }
  if (targets.shape[0] !== available) {
    throw new BadInput(`${description}: ${available} inputs, but targets of shape (${targets.shape.join(", ")}).`);
  }
  const own = arrays.map(([name, { shape }]) => [name, shape.slice(1)] as const);
  const model = file.fit(own.length === 1 ? own[0]![1] : Object.fromEntries(own));
  for (const [name, { values }] of [...arrays, ["targets", targets] as const]) {
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new BadInput(`${description}: ${name}: expected finite numbers, got ${values[bad]} at element ${bad}.`);
  }
  const whole: Split = {
    examples: available,
    inputs: sideBySide(arrays.map(([, array]) => array)),
    targets: targetRows(targets, model, description, targetShape),
  };
  const indices = draw(first ?? available, examples, seed);
  return {
    model,
    split: takeExamples(whole, indices),
    indices,
    available: first ?? available,
    description: `${indices.length} at random of ${ofFirst(first)}${available} examples of ${description}`,
    images: null,
    paths: null,
  };
}

/** Of each data input its array, "inputs" where the model has only one. */
function inputsOf(
  { inputs: wanted }: OnnxModelFile,
  given: Extract<ProbeData, { kind: "arrays" }>["inputs"],
  source: string,
): (readonly [name: string, array: NpyArray])[] {
  const listed = (names: Iterable<string>) => [...names].map((name) => `"${name}"`).join(", ");
  if (!(given instanceof Map)) {
    if (wanted.length === 1) return [["inputs", given as NpyArray]];
    throw new BadInput(
      `${source}: the model has the data inputs ${listed(wanted.map(({ name }) => name))}: expected a .npz file with an array for each, got one array.`,
    );
  }
  const arrays = given as ReadonlyMap<string, NpyArray>;
  return wanted.map(({ name }) => {
    const array = arrays.get(name);
    if (array !== undefined) return [name, array];
    throw new BadInput(
      `${source}: has no array "${name}", which is an input of the model; found ${listed(arrays.keys())}.`,
    );
  });
}

/** Rows of the arrays after one another: [n, sum of their sizes]. */
function sideBySide(arrays: readonly NpyArray[]): Float32Array {
  const [first] = arrays;
  if (arrays.length === 1) return Float32Array.from(first!.values);
  const examples = first!.shape[0]!;
  const widths = arrays.map(({ values }) => values.length / examples);
  const width = widths.reduce((sum, own) => sum + own, 0);
  const rows = new Float32Array(examples * width);
  let start = 0;
  arrays.forEach(({ values }, k) => {
    const own = widths[k]!;
    for (let i = 0; i < examples; i++) rows.set(values.subarray(i * own, (i + 1) * own), i * width + start);
    start += own;
  });
  return rows;
}

/** Values as they are, whole numbers of one axis less as labels. */
function targetRows(
  targets: { readonly shape: readonly number[]; readonly values: Float64Array | Int32Array },
  { outputShape }: OnnxModel,
  source: string,
  wanted: readonly number[] = outputShape,
): Float32Array {
  const own = targets.shape.slice(1);
  const isWhole = () => targets.values.every((value) => Number.isInteger(value));
  const areLabels = own.join() === outputShape.slice(0, -1).join();
  if (areLabels && isWhole()) checkLabels(targets.values, outputShape.at(-1)!, source);
  if (own.join() === wanted.join()) return Float32Array.from(targets.values);
  if (areLabels && wanted.join() === outputShape.join() && isWhole()) {
    const classes = outputShape.at(-1)!;
    const rows = new Float32Array(targets.values.length * classes);
    targets.values.forEach((label, i) => (rows[i * classes + label] = 1));
    return rows;
  }
  const whose = wanted === outputShape ? "the model gives" : "the loss takes";
  throw new BadInput(
    `${source}: ${whose} [${wanted.join(", ")}] for an example; the targets have the shape ` +
      `(${targets.shape.join(", ")}), which is neither such values nor whole numbers as labels.`,
  );
}

function checkLabels(labels: Float64Array | Int32Array, classes: number, source: string): void {
  const bad = labels.find((label) => !(label >= 0 && label < classes));
  if (bad === undefined) return;
  throw new BadInput(`${source}: label ${bad}; the model has ${classes} outputs, so labels are 0…${classes - 1}.`);
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

const ofFirst = (first: number | undefined): string => (first === undefined ? "" : `the first ${first} of `);

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
