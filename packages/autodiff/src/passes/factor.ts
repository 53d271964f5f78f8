/** Takes common factors out of sums of products, which second derivatives of activation functions are full of. */
import { Builder, graphOf } from "../builder/builder.js";
import { sameShape } from "../ir/dims.js";
import { producer, type Graph, type Value } from "../ir/graph.js";
import { nodesReaching } from "../ir/traverse.js";
import { scalarConstant } from "../ops/arithmetic.js";
import { countUses } from "./fuse.js";
import { rebuild } from "./rebuild.js";

/** coefficient · Π factors. */
interface Product {
  readonly coefficient: number;
  readonly factors: readonly Value[];
}

/**
 * The same graph with a∘s + c·b∘s as (a + c·b)∘s, where the products are used for nothing else. For tanh, s = 1 − h²,
 *
 *     δ̇ = ē̇∘s − 2h∘ē∘u̇,  u̇ = ż∘s   →   δ̇ = (ē̇ − 2 (h∘ē)∘ż)∘s
 *
 * three passes over the layer instead of six: fuse adds the inner sum in the product that makes ē̇.
 */
export function factor(graph: Graph): Graph {
  const values = Object.values(graph.outputs);
  if (!nodesReaching(values).some(({ op, body }) => op === "Add" || op === "Sub" || body !== undefined)) return graph;
  const uses = countUses(values);
  const g = new Builder();
  const rebuilt = rebuild(g, values, new Map(), (node, _, mapped) => {
    if (node.op !== "Add" && node.op !== "Sub") return null;
    const [left, right] = node.inputs.map((value) => productOf(value!, uses));
    const sign = node.op === "Sub" ? -1 : 1;
    const common = left && right && commonFactor(left, { ...right, coefficient: sign * right.coefficient });
    if (!common) return null;
    const [a, b] = common.rest.map((product) => {
      const value = product.factors.map(mapped).reduce((sum, each) => g.mul(sum, each));
      return product.coefficient === 1 ? value : g.mul(value, product.coefficient);
    });
    return [g.mul(g.add(a!, b!), mapped(common.factor))];
  });
  const names = Object.keys(graph.outputs);
  return graphOf(Object.fromEntries(names.map((name, i) => [name, rebuilt[i]!])), graph.name, graph.inputs);
}

/** A value as a product of values of its own shape; null if it is none, or is used elsewhere too. */
function productOf(value: Value, uses: ReadonlyMap<Value, number>): Product | null {
  let coefficient = 1;
  const factors: Value[] = [];
  const take = (part: Value): boolean => {
    const number = scalarConstant(part);
    if (number !== null) {
      coefficient *= number;
      return true;
    }
    if (!sameShape(part.shape, value.shape)) return false;
    const made = uses.get(part) === 1 ? producer(part) : null;
    if (made?.op === "Neg") coefficient = -coefficient;
    if (made?.op === "Neg" || made?.op === "Mul") return made.inputs.every((input) => take(input!));
    factors.push(part);
    return true;
  };
  return take(value) && factors.length > 1 ? { coefficient, factors } : null;
}

/**
 * A factor of both, and what is left of each. A factor that is itself a product x∘y, and is used elsewhere, counts as
 * either: x in its place costs no more.
 */
function commonFactor(left: Product, right: Product): { factor: Value; rest: [Product, Product] } | null {
  for (const factor of [...left.factors, ...right.factors]) {
    const rest = [left, right].map((product) => divide(product, factor));
    if (rest[0] && rest[1]) return { factor, rest: [rest[0], rest[1]] };
  }
  return null;
}

function divide({ coefficient, factors }: Product, by: Value): Product | null {
  const at = factors.indexOf(by);
  if (at >= 0) return { coefficient, factors: factors.toSpliced(at, 1) };
  for (const [i, factor] of factors.entries()) {
    const made = producer(factor);
    if (made?.op !== "Mul" || !made.inputs.includes(by)) continue;
    const other = made.inputs[0] === by ? made.inputs[1]! : made.inputs[0]!;
    if (sameShape(other.shape, factor.shape)) return { coefficient, factors: factors.with(i, other) };
  }
  return null;
}
