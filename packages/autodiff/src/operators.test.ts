/** docs/autodiff/operators.md says what the operators really do. `npm run operators -w @sedge/autodiff` writes it anew. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { knownOps } from "./ops/registry.js";
import { opExamples } from "./testing/op-examples.js";
import { operatorsPage } from "./testing/operator-table.js";

const page = fileURLToPath(new URL("../../../docs/autodiff/operators.md", import.meta.url));

test("every operator has an example, and every example an operator", () => {
  expect(Object.keys(opExamples).sort()).toEqual([...knownOps]);
});

test("the table of operators is what running them gives", async () => {
  await expect(await operatorsPage()).toMatchFileSnapshot(page);
}, 240_000);
