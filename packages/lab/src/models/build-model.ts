import { graph, type Graph, type Value } from "@sedge/autodiff";
import { draw } from "./initialisation.js";
import { Layers } from "./layers.js";
import { sizeOf, type Model } from "./model.js";
import type { ParameterizationOptions } from "./parameterization.js";

export interface ModelParts {
  /** Of the graph. */
  readonly name: string;
  readonly description: string;
  /** Shape of one input: [numbers], or [height, width, channels]. */
  readonly inputShape: readonly number[];
  readonly outputs: number;
  readonly parameterization: ParameterizationOptions;
  /** @param x  [batch, ...inputShape]. @returns [batch, outputs]. */
  readonly build: (layers: Layers, x: Value) => Value;
}

/** A model from the layers it is made of. */
export function buildModel({ name, description, inputShape, outputs, parameterization, build }: ModelParts): Model {
  function assemble(training: boolean): { readonly made: Graph; readonly layers: Layers } {
    let layers: Layers | undefined;
    const made = graph(
      (b) => {
        layers = new Layers(b, parameterization, training);
        const output = build(layers, b.input("x", ["batch", ...inputShape]));
        return { output, ...layers.batchStatistics };
      },
      { name },
    );
    return { made, layers: layers! };
  }
  const { made, layers } = assemble(false);
  const { params, statistics, initials } = layers;
  return {
    description: `${description}${nameOf(parameterization)}`,
    inputShape,
    outputs,
    graph: made,
    params,
    ...(statistics.length > 0 && { statistics, trainingGraph: assemble(true).made }),
    paramCount: params.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    initialise: (random) =>
      Object.fromEntries(
        [...params, ...statistics].map(({ name: param, shape }) => [
          param,
          draw(random.fork(param), shape, initials.get(param)!),
        ]),
      ),
  };
}

function nameOf({ parameterization = "standard", family = "sgd" }: ParameterizationOptions): string {
  if (parameterization === "standard") return "";
  return parameterization === "ntk" ? ", NTK parameterisation" : `, μP for ${family === "sgd" ? "SGD" : "Adam"}`;
}

/** @throws RangeError unless every size is a whole number from 1 up. */
export function requireSizes(model: string, sizes: Readonly<Record<string, number | readonly number[]>>): void {
  for (const [name, given] of Object.entries(sizes)) {
    for (const size of typeof given === "number" ? [given] : given) {
      if (!Number.isInteger(size) || size < 1) {
        throw new RangeError(`${model}: expected ${name} of whole numbers, at least 1, got ${String(given)}.`);
      }
    }
  }
}

/** Height, width and channels of an image. @throws RangeError for anything else. */
export function requireImage(model: string, inputShape: readonly number[]): readonly [number, number, number] {
  requireSizes(model, { inputShape });
  if (inputShape.length !== 3) {
    throw new RangeError(`${model}: expected inputs of height, width and channels, got [${inputShape.join(", ")}].`);
  }
  return inputShape as unknown as readonly [number, number, number];
}
