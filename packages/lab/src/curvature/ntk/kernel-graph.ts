/** The graph that computes a block of J D⁻¹ Jᵀ: all parameters' parts, or their sum. */
import { graph, type Builder, type Graph, type Value } from "@sedge/autodiff";
import { formOf, gramWork, isSmallerFormed, isWorthHalving, kernelWork, slicesFor, type KernelSize } from "./cost.js";
import { contraction } from "./forms/contraction.js";
import { direct } from "./forms/direct.js";
import { gradientRows } from "./forms/gradients.js";
import { overlaps, singlePosition } from "./forms/overlaps.js";
import { sizeOfPart } from "./forms/parts.js";
import { examplesOf, upperHalf } from "./forms/symmetric.js";
import { weighted } from "./forms/weighted.js";
import type { ParamJacobian, ProductPart } from "./jacobian.js";
import { sizeOf } from "../../models/model.js";
import { partSize } from "./rules/rules.js";
import { buildSide, paramInputs, type Side } from "./sides.js";
import type { LayeredParam, TappedModel } from "./tapped-model.js";

export interface KernelGraphOptions {
  /** Examples on a side; off the diagonal about: what the ways of computing are chosen for. */
  readonly examples: number;
  /** S of the left side and of the right. */
  readonly directions: readonly [number, number];
  /** One block with itself: then there is a left side only. */
  readonly isDiagonal: boolean;
  readonly isPreconditioned: boolean;
  /** Outputs `kernel/<param>` for each parameter instead of the sum, `kernel`. */
  readonly areApart: boolean;
  /** For the per-example gradients of one parameter at a time. */
  readonly sliceBytes: number;
  /** A data input to which the left side's directions are pulled back: the output `pulled` [S, n, …]. */
  readonly pullTo?: string | null;
}

/**
 * Inputs: those of `buildSide` for the sides "left" and, off the diagonal, "right". Outputs: kernels [S, S', n, m], and
 * `output` of the left side, with `pulled` if asked for.
 */
export function kernelGraph(tapped: TappedModel, options: KernelGraphOptions): Graph {
  const { directions, isDiagonal, isPreconditioned, areApart, pullTo = null } = options;
  const formed = formedParams(tapped, options);
  const isFixed =
    isDiagonal && tapped.layered.some((layer) => isWorthHalving(options.examples, layerWork(layer, options)));
  return graph(
    (b): Record<string, Value> => {
      const params = paramInputs(b, tapped, isPreconditioned);
      const side = (prefix: "left" | "right", count: number): Side =>
        buildSide(b, tapped, params, {
          prefix,
          directions: count,
          isFormed: (param) => formed.has(param),
          examples: isFixed ? options.examples : undefined,
          pullTo: prefix === "left" ? pullTo : null,
        });
      const left = side("left", directions[0]);
      const right = isDiagonal ? left : side("right", directions[1]);
      const pairs = left.jacobians.map((jacobian, k) => [jacobian, right.jacobians[k]!] as const);
      const rest = { output: left.output, ...(left.pulled && { pulled: left.pulled }) };
      if (areApart) {
        const kernels = pairs.map((pair) => [`kernel/${pair[0].param}`, parameterKernel(b, pair, options)] as const);
        return { ...Object.fromEntries(kernels), ...rest };
      }
      return { kernel: treeSum(b, totalTerms(b, pairs, options)), ...rest };
    },
    { name: `${tapped.graph.name}-ntk` },
  );
}

type Pair = readonly [ParamJacobian, ParamJacobian];

function parameterKernel(b: Builder, [left, right]: Pair, options: KernelGraphOptions): Value {
  const [part] = left.parts;
  const halvedFor =
    options.isDiagonal && isWorthHalving(options.examples, workOf(left, options)) ? options.examples : null;
  if (left.parts.length === 1 && part!.kind === "product") {
    const [own, other] = [part!, right.parts[0] as ProductPart];
    switch (formOf(sizeOfPart(own), sizeOfKernel(options))) {
      case "overlaps":
        return overlaps(b, own, other, 0);
      case "contraction":
        return halvedFor === null
          ? contraction(b, own, other)
          : upperHalf(b, halvedFor, (start, end) =>
              contraction(b, examplesOf(b, own, start, end), examplesOf(b, own, start, null)),
            );
      case "weighted":
        return weighted(b, left, right);
      case "direct":
    }
  }
  return direct(b, left, right, slicesOf(left, options), halvedFor);
}

/** The kernels to be added up: each parameter's, with the biases of layers of one position taken into their weights'. */
function totalTerms(b: Builder, pairs: readonly Pair[], options: KernelGraphOptions): Value[] {
  const terms: Value[] = [];
  const shared = new Map<Value, { left: ProductPart; right: ProductPart; biases: number }>();
  const rest: Pair[] = [];
  for (const pair of pairs) {
    const [own, other] = pair.map(({ parts }) => parts[0]) as [ProductPart, ProductPart];
    const isOverlap =
      pair[0].parts.length === 1 &&
      own.kind === "product" &&
      formOf(sizeOfPart(own), sizeOfKernel(options)) === "overlaps";
    const key = isOverlap ? singlePosition(b, own.moving) : null;
    if (key && !shared.has(key)) shared.set(key, { left: own, right: other, biases: 0 });
    else rest.push(pair);
  }
  for (const pair of rest) {
    const [part] = pair[0].parts;
    const layer = pair[0].root === null && part?.kind === "array" ? shared.get(part.value) : undefined;
    if (layer) layer.biases++;
    else terms.push(parameterKernel(b, pair, options));
  }
  return [...[...shared.values()].map(({ left, right, biases }) => overlaps(b, left, right, biases)), ...terms];
}

function workOf({ parts, size }: ParamJacobian, options: KernelGraphOptions): number {
  const kernel = sizeOfKernel(options);
  const works = parts.map((part) =>
    part.kind === "product" ? kernelWork(sizeOfPart(part), kernel) : gramWork(size, kernel),
  );
  return Math.max(...works);
}

/** At least `workOf` its Jacobian. */
function layerWork({ param, uses }: LayeredParam, options: KernelGraphOptions): number {
  const kernel = sizeOfKernel(options);
  const works = uses.map(partSize).map((part) => (part ? kernelWork(part, kernel) : 0));
  return Math.max(gramWork(sizeOf(param.shape), kernel), ...works);
}

/** In pairs, pairs of pairs and so on: float32 rounding then grows with the logarithm of their number. */
function treeSum(b: Builder, terms: readonly Value[]): Value {
  if (terms.length === 1) return terms[0]!;
  const half = Math.ceil(terms.length / 2);
  return b.add(treeSum(b, terms.slice(0, half)), treeSum(b, terms.slice(half)));
}

/** Parameters whose gradients are formed where the cotangents are. */
function formedParams({ layered }: TappedModel, options: KernelGraphOptions): Set<string> {
  const size = sizeOfKernel(options);
  const isFormed = ({ param, uses }: LayeredParam): boolean => {
    const parts = uses.map(partSize).filter((part) => part !== null);
    if (parts.length === 0 || (parts.length === 1 && formOf(parts[0]!, size) !== "direct")) return false;
    return isSmallerFormed(parts, sizeOf(param.shape), size, options.sliceBytes);
  };
  return new Set(layered.filter(isFormed).map(({ param }) => param.name));
}

const sizeOfKernel = ({ examples, directions, isPreconditioned }: KernelGraphOptions): KernelSize => ({
  examples,
  directions: Math.max(...directions),
  isPreconditioned,
});

function slicesOf(jacobian: ParamJacobian, options: KernelGraphOptions): number {
  const { examples, directions } = sizeOfKernel(options);
  if (jacobian.parts.every(({ kind }) => kind === "array")) return 1;
  const rows = gradientRows(jacobian);
  return slicesFor(rows, (4 * examples * directions * jacobian.size) / rows, options.sliceBytes);
}
