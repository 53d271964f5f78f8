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

export const activate = (b: Builder, name: ReferenceNetwork["activation"], x: Value): Value =>
  name === "tanh" ? b.tanh(x) : name === "erf" ? b.erf(x) : b.gelu(x);

export const lossOf = (b: Builder, name: ReferenceNetwork["loss"], output: Value, target: Value): Value =>
  name === "mse" ? b.squaredLoss(output, target) : b.crossEntropy(output, target);

/** Inputs to run the network on its own data and parameters. */
export function feedsOf(network: ReferenceNetwork): Record<string, readonly number[]> {
  const params = Object.fromEntries(network.params.map((values, i) => [`p${i}`, values]));
  return { x: network.inputs, y: network.targets, ...params };
}
