/** Einsum: sums of products over named axes. */
import { show, type Dim, type Shape } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { defineOp, fail, string, type OpRule } from "./rule.js";

type Named = Parameters<typeof fail>[0];

/** One string of axis names for each operand, and for the result. */
interface Terms {
  readonly inputs: readonly string[];
  readonly output: string;
}

/**
 * The equation with every axis named: "...ij,jk" for a stack becomes "ABij,jk→ABik". Left without a result, that is what
 * an ellipsis stands for, then the names that occur once, in alphabetical order.
 */
function parse(node: Named, equation: string, inputs: readonly { readonly shape: Shape }[]): Terms {
  const [left, right] = equation.replaceAll(" ", "").split("->");
  const terms = left!.split(",");
  if (terms.length !== inputs.length) fail(node, `expected ${terms.length} operands for "${equation}"`);
  const named = (term: string) => term.replace("...", "").length;
  const extra = Math.max(
    0,
    ...terms.map((term, i) => (term.includes("...") ? inputs[i]!.shape.length - named(term) : 0)),
  );
  // Capitals that the equation does not use stand for the axes of the ellipsis.
  const free = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    .filter((name) => !equation.includes(name))
    .slice(0, extra)
    .join("");
  const spelled = terms.map((term, i) => {
    const width = inputs[i]!.shape.length - named(term);
    const full = term.replace("...", free.slice(extra - width));
    if (full.length !== inputs[i]!.shape.length) fail(node, `expected operand ${i} to have the axes of "${term}"`);
    return full;
  });
  if (right !== undefined) return { inputs: spelled, output: right.replace("...", free) };
  const letters = [...terms.join("").replaceAll("...", "")];
  const once = letters.filter((name) => letters.indexOf(name) === letters.lastIndexOf(name)).sort();
  return { inputs: spelled, output: free + once.join("") };
}

function sizesOf(node: Named, terms: Terms, inputs: readonly Value[]): Map<string, Dim> {
  const sizes = new Map<string, Dim>();
  terms.inputs.forEach((term, i) => {
    [...term].forEach((name, axis) => {
      const dim = inputs[i]!.shape[axis]!;
      const known = sizes.get(name);
      if (known !== undefined && known !== dim)
        fail(node, `expected one size for axis ${name}, found ${known} and ${dim}`);
      sizes.set(name, dim);
    });
  });
  return sizes;
}

const write = (inputs: readonly string[], output: string): string => `${inputs.join(",")}->${output}`;

/**
 * Y = Σ A∘B∘… over the axes that the result does not name.
 *
 *     jvp   the sum over operands of the same with the operand's tangent in its place
 *     vjp   Ā: the same with Ȳ in A's place and A's axes for the result; axes that only A has are repeated
 */
const einsum = defineOp({
  op: "Einsum",
  inputs: ["inputs..."],
  attributes: { equation: string("") },
  infer: (node) => {
    const terms = parse(node, node.attributes.equation, node.inputs);
    const sizes = sizesOf(node, terms, node.inputs);
    const shape = [...terms.output].map(
      (name) => sizes.get(name) ?? fail(node, `expected axis ${name} of the result in an operand`),
    );
    return { type: node.inputs[0]!.type, shape };
  },
  jvp: (g, { inputs, attributes: { equation } }, tangents) => {
    const parts = inputs.map((_, i) => tangents[i] && g.einsum(equation, ...inputs.with(i, tangents[i])));
    return parts.reduce<Value | null>((sum, part) => g.addTangents(sum, part ?? null), null);
  },
  vjp: (g, node, dy, wanted) => {
    const { inputs } = node;
    const terms = parse(node, node.attributes.equation, inputs);
    return inputs.map((input, i) => {
      if (!wanted[i]) return null;
      const own = terms.inputs[i]!;
      if (new Set(own).size < own.length) {
        return fail(
          node,
          `expected no axis twice in one operand where it is differentiated ("${own}", ${show(input.shape)})`,
        );
      }
      const others = terms.inputs.map((term, k) => ({ term, value: inputs[k]! })).filter((_, k) => k !== i);
      const given = terms.output + others.map(({ term }) => term).join("");
      const shared = [...own].filter((name) => given.includes(name)).join("");
      const product = g.einsum(
        write([terms.output, ...others.map(({ term }) => term)], shared),
        dy,
        ...others.map(({ value }) => value),
      );
      const missing = [...own].flatMap((name, axis) => (given.includes(name) ? [] : [axis]));
      return missing.length === 0 ? product : g.expandTo(g.unsqueeze(product, missing), input.shape);
    });
  },
});

export const einsumRules: readonly OpRule[] = [einsum];
