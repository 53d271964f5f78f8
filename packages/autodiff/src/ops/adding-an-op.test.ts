/** The page on adding an operator is true: its rule is a rule, and its tests pass. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { ScriptTarget, transpileModule } from "typescript";
import { expect, test } from "vitest";
import { Builder } from "../builder/builder.js";
import { checkOp } from "../testing/check-op.js";
import { defineOp, type OpRule } from "./rule.js";
import { ruleFor } from "./registry.js";

const page = readFileSync(new URL("../../../../docs/autodiff/adding-an-op.md", import.meta.url), "utf8");
const [rule, tests] = Array.from(page.matchAll(/```ts\n([\s\S]*?)```/g), ([, code]) =>
  code!.replace(/^import .*$/gm, ""),
);

/** Runs code with these names, and returns a value of it. */
function evaluate<T>(code: string, names: Record<string, unknown>, result: string): T {
  const { outputText } = transpileModule(code, { compilerOptions: { target: ScriptTarget.ES2022 } });
  const Function = (() => undefined).constructor as new (...parts: string[]) => (...values: unknown[]) => T;
  return new Function(...Object.keys(names), `${outputText}\nreturn ${result};`)(...Object.values(names));
}

test("its example is a rule, the same as ours", () => {
  const softplus = evaluate<OpRule>(rule!, { defineOp }, "softplus");
  const known = ruleFor("Softplus");
  expect(softplus).toMatchObject({ op: known.op, inputs: known.inputs });
  const b = new Builder();
  const x = b.input("x", ["n", 3], "float64");
  const node = { op: "Softplus", name: "Softplus", inputs: [x], attributes: {}, outputs: [b.softplus(x)] } as const;
  // Equal values are made once, so equal rules give the same value.
  expect(softplus.infer(node)).toEqual(known.infer(node));
  expect(softplus.jvp!(b, node, [x])).toBe(known.jvp!(b, node, [x]));
  expect(softplus.vjp!(b, node, x, [true], [x])).toEqual(known.vjp!(b, node, x, [true], [x]));
  expect(softplus.float64!(b, node)).toBe(known.float64!(b, node));
});

test("its tests pass", async () => {
  const bodies: [string, () => Promise<void>][] = [];
  const collect = (name: string, body: () => Promise<void>): void => void bodies.push([name, body]);
  evaluate(tests!, { checkOp, fc, test: collect }, "null");
  expect(bodies.map(([name]) => name)).toHaveLength(3);
  for (const [, body] of bodies) await body();
});
