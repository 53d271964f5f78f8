/** Loop, as Builder.loop makes it. Its shapes come from its body, so it is built there and only declared here. */
import { defineOp, fail, type OpRule } from "./rule.js";

const loop = defineOp({
  op: "Loop",
  inputs: ["inputs..."],
  infer: (node) => fail(node, "expected a Loop to be built with Builder.loop"),
  refuse: "a Loop is for running a computation many times; differentiate inside its body",
});

export const loopRules: readonly OpRule[] = [loop];
