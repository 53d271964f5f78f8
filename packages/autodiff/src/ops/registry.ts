/** Every operator Sedge knows, by ONNX name. */
import { GraphError } from "../ir/errors.js";
import { arithmeticRules } from "./arithmetic.js";
import { convolutionRules } from "./convolution.js";
import { einsumRules } from "./einsum.js";
import { indexingRules } from "./indexing.js";
import { layoutRules } from "./layout.js";
import { linearRules } from "./linear.js";
import { loopRules } from "./loop.js";
import { normalizationRules } from "./normalization.js";
import { paddingRules } from "./padding.js";
import { poolingRules } from "./pooling.js";
import { reductionRules } from "./reductions.js";
import type { OpRule } from "./rule.js";
import { scatterRules } from "./scatter.js";
import { selectionRules } from "./selection.js";
import { sizeRules } from "./sizes.js";
import { softmaxRules } from "./softmax.js";
import { unaryRules } from "./unary.js";

const families: readonly (readonly OpRule[])[] = [
  unaryRules,
  arithmeticRules,
  selectionRules,
  reductionRules,
  linearRules,
  einsumRules,
  softmaxRules,
  layoutRules,
  indexingRules,
  sizeRules,
  loopRules,
  convolutionRules,
  poolingRules,
  normalizationRules,
  paddingRules,
  scatterRules,
];

const rules: ReadonlyMap<string, OpRule> = new Map(families.flat().map((rule) => [rule.op, rule]));

/** The names of all operators Sedge knows, sorted. */
export const knownOps: readonly string[] = [...rules.keys()].sort();

export const isKnownOp = (op: string): boolean => rules.has(op);

/** @throws GraphError for an operator without a rule. */
export function ruleFor(op: string): OpRule {
  const rule = rules.get(op);
  if (rule === undefined) throw new GraphError(`There is no rule for the operator ${op}.`);
  return rule;
}
