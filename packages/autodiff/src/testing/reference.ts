/** The networks of fixtures/networks.json, whose losses and curvatures were computed elsewhere in float64, as graphs. */
import { readFileSync } from "node:fs";
import type { Builder } from "../builder/builder.js";
import { graph } from "../builder/builder.js";
import type { Graph, Value } from "../ir/graph.js";

export interface ReferenceNetwork {
  readonly name: "mlp" | "cnn";
  readonly activation: "tanh" | "erf" | "gelu";
  readonly loss: "mse" | "cross-entropy";
  readonly examples: number;
  readonly outputs: number;
  readonly shapes: readonly (readonly number[])[];
  readonly params: readonly (readonly number[])[];
  readonly inputShape: readonly number[];
  readonly inputs: readonly number[];
  /** One-hot, [examples, outputs]. */
  readonly targets: readonly number[];
  readonly lossValue: number;
  readonly gradient: readonly number[];
  readonly hessianTop: readonly number[];
  readonly hessianTrace: number;
  readonly gaussNewtonTop: readonly number[];
  readonly gaussNewtonTrace: number;
  readonly ntkTop: readonly number[];
  readonly ntkTrace: number;
  readonly perExampleGradientSquaredNorms: readonly number[];
}

const file = new URL("../fixtures/networks.json", import.meta.url);

export const referenceNetworks: readonly ReferenceNetwork[] = (
  JSON.parse(readFileSync(file, "utf8")) as { cases: ReferenceNetwork[] }
).cases;

export const titleOf = ({ name, activation, loss }: ReferenceNetwork): string => `${name}, ${activation}, ${loss}`;

/** "p0", "p1", … */
export const paramNames = ({ shapes }: ReferenceNetwork): string[] => shapes.map((_, i) => `p${i}`);

/** Inputs x, y and p0, p1, …; outputs `output` [batch, C] and `loss`. Dense layers only. */
export function mlpGraph(network: ReferenceNetwork): Graph {
  return graph((b) => {
    const x = b.input("x", ["batch", ...network.inputShape.slice(1)]);
    const y = b.input("y", ["batch", network.outputs]);
    const params = network.shapes.map((shape, i) => b.input(`p${i}`, shape));
    const layers = params.length / 2;
    let hidden = x;
    for (let layer = 0; layer < layers; layer++) {
      const before = b.scope(`dense${layer + 1}`, () => b.dense(hidden, params[2 * layer]!, params[2 * layer + 1]));
      hidden = layer === layers - 1 ? before : activate(b, network.activation, before);
    }
    return { output: hidden, loss: lossOf(b, network.loss, hidden, y) };
  });
}

/**
 * The same names for the convolutional networks: a 3×3 convolution, the mean of each 2×2 patch, a second convolution of
 * stride 2, the mean over the image, one dense layer. Padding keeps sizes, ⌈size/stride⌉, the odd pixel at the end. Images come as NHWC and kernels as HWIO; ONNX wants NCHW and OIHW.
 */
export function cnnGraph(network: ReferenceNetwork): Graph {
  return graph((b) => {
    const x = b.input("x", ["batch", ...network.inputShape.slice(1)]);
    const y = b.input("y", ["batch", network.outputs]);
    const [k1, b1, k2, b2, w, bias] = network.shapes.map((shape, i) => b.input(`p${i}`, shape));
    const convolve = (image: Value, kernel: Value, channelBias: Value, stride: number): Value => {
      const attributes = { auto_pad: "SAME_UPPER", strides: [stride, stride] };
      const before = b.node("Conv", [image, b.transpose(kernel, [3, 2, 0, 1]), channelBias], attributes);
      return activate(b, network.activation, before);
    };
    const first = convolve(b.transpose(x, [0, 3, 1, 2]), k1!, b1!, 1);
    const pooled = b.node("AveragePool", [first], { kernel_shape: [2, 2], strides: [2, 2] });
    const second = convolve(pooled, k2!, b2!, 2);
    const output = b.dense(b.reduceMean(second, [2, 3]), w!, bias);
    return { output, loss: lossOf(b, network.loss, output, y) };
  });
}

export const networkGraph = (network: ReferenceNetwork): Graph =>
  network.name === "mlp" ? mlpGraph(network) : cnnGraph(network);

export const activate = (b: Builder, name: ReferenceNetwork["activation"], x: Value): Value =>
  name === "tanh" ? b.tanh(x) : name === "erf" ? b.erf(x) : b.gelu(x);

export const lossOf = (b: Builder, name: ReferenceNetwork["loss"], output: Value, target: Value): Value =>
  name === "mse" ? b.squaredLoss(output, target) : b.crossEntropy(output, target);

/** Inputs to run the network on its own data and parameters. */
export function feedsOf(network: ReferenceNetwork): Record<string, readonly number[]> {
  const params = Object.fromEntries(network.params.map((values, i) => [`p${i}`, values]));
  return { x: network.inputs, y: network.targets, ...params };
}
