import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BadInput } from "../errors.js";
import { oneHot, type Dataset, type Split } from "./dataset.js";
import { parseNpy, type NpyArray } from "./npy.js";
import { parseNpz } from "./npz.js";

export interface ArrayDatasetOptions {
  /** A folder with `x.npy`, `y.npy` and perhaps `x_test.npy`, `y_test.npy`; or a `.npz` file with arrays of these names. */
  readonly path: string;
  /** Training examples: the first so many. Default 1000. */
  readonly examples?: number;
  /** Test examples: the first so many; of the rest of the training arrays where there are none of their own. Default 1000. */
  readonly testExamples?: number;
}

type Arrays = Readonly<Record<string, NpyArray>>;
const names = ["x", "y", "x_test", "y_test"];

/**
 * Examples from NumPy arrays: x [n, …] as they are, not scaled; y [n] of whole numbers are labels, which become one-hot,
 * any other y [n] or [n, C] are the targets themselves.
 *
 * @throws BadInput (an NpyError where a file is at fault) naming the file and array, its shape and what is allowed.
 */
export function arrayDataset({ path, examples = 1000, testExamples = 1000 }: ArrayDatasetOptions): Dataset {
  const arrays = path.endsWith(".npz") ? parseNpz(readBytes(path), path, names) : readFolder(path);
  const { x, y, x_test: xTest, y_test: yTest } = arrays;
  if (x === undefined || y === undefined)
    throw new BadInput(`${path}: expected arrays x and y, got ${listed(arrays)}.`);
  if ((xTest === undefined) !== (yTest === undefined)) {
    throw new BadInput(`${path}: expected x_test and y_test or neither, got ${listed(arrays)}.`);
  }
  const labels = y.type === "integer" && y.shape.length === 1;
  const outputs = labels ? classesOf([y, ...(yTest ? [yTest] : [])]) : (y.shape[1] ?? 1);
  const take = (inputs: NpyArray, targets: NpyArray, from: number, count: number): Split =>
    splitOf(path, inputs, targets, { from, count, labels, outputs });
  return {
    name: path.endsWith(".npz") ? "npz" : "npy",
    description: `${path}: first ${examples} training and ${testExamples} test examples`,
    inputShape: x.shape.length === 1 ? [1] : x.shape.slice(1),
    outputs,
    train: take(x, y, 0, examples),
    test: xTest && yTest ? take(xTest, yTest, 0, testExamples) : take(x, y, examples, testExamples),
  };
}

function splitOf(
  path: string,
  x: NpyArray,
  y: NpyArray,
  { from, count, labels, outputs }: { from: number; count: number; labels: boolean; outputs: number },
): Split {
  const available = x.shape[0] ?? 0;
  if (y.shape[0] !== available || y.shape.length > 2) {
    throw new BadInput(
      `${path}: expected y [${available}] or [${available}, C] for x [${x.shape.join(", ")}], got [${y.shape.join(", ")}].`,
    );
  }
  if (from + count > available) {
    throw new BadInput(`${path}: holds ${available} examples, ${from + count} were asked for.`);
  }
  const size = x.values.length / available;
  const inputs = Float32Array.from(x.values.subarray(from * size, (from + count) * size));
  const bad = inputs.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new BadInput(`${path}: x[${from + Math.floor(bad / size)}] holds ${inputs[bad]}; expected finite numbers.`);
  const own = y.values.subarray(from * (labels ? 1 : outputs), (from + count) * (labels ? 1 : outputs));
  return {
    examples: count,
    inputs,
    targets: labels ? oneHot(own, outputs, `${path}: y`) : Float32Array.from(own),
  };
}

function readFolder(path: string): Arrays {
  const found = names.map((name) => [name, join(path, `${name}.npy`)] as const).filter(([, file]) => existsSync(file));
  return Object.fromEntries(found.map(([name, file]) => [name, parseNpy(readBytes(file), file)]));
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new BadInput(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
}

/** The largest label and one: labels count from 0. */
const classesOf = (arrays: readonly NpyArray[]): number =>
  arrays.reduce((most, { values }) => values.reduce((top, label) => Math.max(top, label + 1), most), 1);

const listed = (arrays: Arrays): string => Object.keys(arrays).join(", ") || "none";
