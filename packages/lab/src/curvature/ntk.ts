import { compile, graph, taps, type Builder, type TapUse, type Value } from "@sedge/autodiff";
import { BadInput } from "../errors.js";
import type { Model, Params } from "../models/model.js";

export interface Ntk {
  /** n. */
  readonly examples: number;
  /** C. */
  readonly outputs: number;
  /** Θ = J Jᵀ / n, row-major `[n·C, n·C]`, example-major; exactly symmetric. */
  readonly matrix: Float64Array;
  /** f at the probe, row-major `[n, C]`. */
  readonly output: Float32Array;
}

/** Computes neural tangent kernels of a model. Holds a session: dispose of it. */
export interface NtkEstimator {
  /** @param inputs  Row-major `[n, ...inputShape]`. */
  measure(params: Params, inputs: Float32Array): Promise<Ntk>;
  dispose(): Promise<void>;
}

/** A weight, or a bias, or both: what shares one array of cotangents. */
interface Layer {
  readonly cotangents: string;
  /** The weight's input; null where only a bias was added. */
  readonly activations: string | null;
  readonly bias: boolean;
}

/**
 * The NTK layer by layer, without a Jacobian. A dense layer z = a·W + b, with a_i its input and d_{i,c} = ∂f_c/∂z for
 * example i, adds
 *
 *     J Jᵀ_{(i,c),(j,c')} += (a_i·a_j + 1)(d_{i,c}·d_{j,c'})
 *
 * the 1 being the bias. All products are float32 inside the graph: relative error some 1e-7 of λ_max.
 *
 * @throws BadInput if a parameter is used other than in a dense layer or its bias, or more than once.
 */
export async function openNtk(
  model: Model,
  { threads = 1 }: { readonly threads?: number } = {},
): Promise<NtkEstimator> {
  const params = model.params.map(({ name }) => name);
  const tapped = taps(model.graph, { of: "output", params });
  const layers = layersOf(tapped.uses, params);
  const { outputs } = model;

  const gram = graph((b) => {
    const inputs = Object.fromEntries(
      Object.entries(tapped.graph.inputs).map(([name, value]) => [name, b.input(name, value.shape, value.type)]),
    );
    const values = b.call(tapped.graph, inputs);
    const terms = layers.map((layer) => layerGram(b, layer, values));
    return { kernel: terms.reduce((sum, term) => b.add(sum, term)), output: values["output"]! };
  });
  const session = await compile(gram, { threads });
  const inputSize = model.inputShape.reduce((product, axis) => product * axis, 1);

  return {
    async measure(values, x) {
      const examples = x.length / inputSize;
      const result = await session.run({ ...values, x });
      const kernel = result["kernel"]!.data as Float32Array;
      return {
        examples,
        outputs,
        matrix: symmetricMean(kernel, examples, outputs),
        output: result["output"]!.data as Float32Array,
      };
    },
    dispose: () => session.dispose(),
  };
}

/** One layer's share of J Jᵀ, as `[C, C, n, n]`: outputs before examples, so that both factors broadcast as they are. */
function layerGram(b: Builder, layer: Layer, values: Record<string, Value>): Value {
  const deltas = values[layer.cotangents]!; // [C, n, out]
  const products = b.matMul(b.unsqueeze(deltas, [1]), b.unsqueeze(b.transposeLast(deltas), [0]));
  if (layer.activations === null) return products;
  const input = values[layer.activations]!; // [n, in]
  const overlaps = b.matMul(input, b.transposeLast(input));
  return b.mul(products, layer.bias ? b.add(overlaps, 1) : overlaps);
}

/** Groups the uses of all parameters by the cotangents that they share. */
function layersOf(uses: readonly TapUse[], params: readonly string[]): Layer[] {
  const layers = new Map<string, Layer>();
  for (const param of params) {
    const own = uses.filter((use) => use.param === param);
    const use = own[0];
    if (own.length !== 1 || use === undefined || (use.kind !== "dense" && use.kind !== "bias")) {
      const how = own.length === 1 ? `in an operation of kind "${use?.kind}"` : `${own.length} times`;
      throw new BadInput(`ntk: parameter "${param}" is used ${how}; expected once, in a dense layer or as its bias.`);
    }
    const layer = layers.get(use.cotangents) ?? { cotangents: use.cotangents, activations: null, bias: false };
    layers.set(
      use.cotangents,
      use.kind === "bias" ? { ...layer, bias: true } : { ...layer, activations: use.activations! },
    );
  }
  return [...layers.values()];
}

/**
 * ½(K + Kᵀ)/n, [n·C, n·C] example-major, from `[C, C, n, n]`: a float32 product need not come out symmetric to the last
 * bit.
 */
function symmetricMean(kernel: Float32Array, examples: number, outputs: number): Float64Array {
  const size = examples * outputs;
  const at = (i: number, c: number, j: number, d: number) => ((c * outputs + d) * examples + i) * examples + j;
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < examples; i++) {
    for (let c = 0; c < outputs; c++) {
      for (let j = 0; j <= i; j++) {
        for (let d = 0; d < outputs; d++) {
          const mean = (kernel[at(i, c, j, d)]! + kernel[at(j, d, i, c)]!) / (2 * examples);
          matrix[(i * outputs + c) * size + j * outputs + d] = mean;
          matrix[(j * outputs + d) * size + i * outputs + c] = mean;
        }
      }
    }
  }
  return matrix;
}
