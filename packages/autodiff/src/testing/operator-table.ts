/** The table of docs/autodiff/operators.md: what each operator can do, found out by doing it. */
import { loadEngine } from "#engine";
import { isFloat } from "../ir/tensor.js";
import { nodesReaching } from "../ir/traverse.js";
import { exportOnnx } from "../onnx/encode.js";
import { knownOps, ruleFor } from "../ops/registry.js";
import { compile } from "../runtime/session.js";
import { checkOp } from "./check-op.js";
import { exampleGraph, opExamples, type OpExample } from "./op-examples.js";

type Order = "✓" | "zero" | "refused";
type Double = "native" | "stand-in" | "stand-in; kernel exists" | "composed" | "–";

export interface OperatorRow {
  readonly op: string;
  /** By first-order rules, checked against central differences and against each other. */
  readonly vjp: Order;
  readonly jvp: Order;
  readonly second: Order;
  readonly float64: Double;
}

/**
 * Tries everything a row says.
 *
 * @throws Error where an operator has no example, or its rule disagrees with what the engine computes.
 */
export async function operatorRow(op: string): Promise<OperatorRow> {
  const example = opExamples[op];
  if (example === undefined) throw new Error(`operatorRow: src/testing/op-examples.ts has no example of ${op}.`);
  // Inferred against actual shapes; jvp, and jvp of vjp, against central differences; ⟨u, Jv⟩ = ⟨Jᵀu, v⟩; float32 against float64.
  await checkOp(example);
  const { graph, feeds } = exampleGraph(example, "float32");
  const session = await compile(graph);
  await session.run(feeds);
  await session.dispose();

  const rule = ruleFor(op);
  const { inKeptOps, native } = await float64Kernel(op, example);
  const order = (has: boolean): Order => {
    if (rule.refuse !== undefined) return "refused";
    return has || !inKeptOps ? "✓" : "zero";
  };
  const floats = Object.values(graph.inputs).some(({ type }) => isFloat(type));
  const double = (): Double => {
    if (!floats) return "–";
    if (!inKeptOps) return "composed";
    if (rule.float64) return native ? "stand-in; kernel exists" : "stand-in";
    if (!native) throw new Error(`operatorRow: ${op} has neither a float64 kernel nor a stand-in.`);
    return "native";
  };
  const first = order(rule.vjp !== undefined);
  return { op, vjp: first, jvp: order(rule.jvp !== undefined), second: first, float64: double() };
}

/** Whether the op is still there when the graph is built, and whether the engine takes it in float64 as it stands. */
async function float64Kernel(op: string, example: OpExample): Promise<{ inKeptOps: boolean; native: boolean }> {
  const { graph } = exampleGraph(example, "float64");
  const forward = Object.fromEntries(Object.entries(graph.outputs).filter(([name]) => name.startsWith("y")));
  const inKeptOps = nodesReaching(Object.values(forward)).some((node) => node.op === op);
  const engine = await loadEngine("cpu");
  try {
    const bytes = exportOnnx({ ...graph, outputs: forward });
    const session = await engine.InferenceSession.create(bytes, engine.sessionOptions("cpu", 1));
    await session.release();
    return { inKeptOps, native: true };
  } catch (error) {
    // Any other failure is not about kernels.
    if (!/Could not find an implementation|Type Error/.test(String(error))) throw error;
    return { inKeptOps, native: false };
  }
}

/** The page as it should be. */
export async function operatorsPage(): Promise<string> {
  const rows: OperatorRow[] = [];
  for (const op of knownOps) rows.push(await operatorRow(op));
  const web = (op: string): string => (webExceptions[op] === undefined ? "✓" : "no");
  const lines = rows.map(
    ({ op, vjp, jvp, second, float64 }) => `| ${op} | ✓ | ${vjp} | ${jvp} | ${second} | ${float64} | ${web(op)} |`,
  );
  const count = (kind: Double): number => rows.filter(({ float64 }) => float64 === kind).length;
  return `# Operators

What each of the ${rows.length} operators can do. This page is written by \`npm run operators --workspace @sedge/autodiff\`, which runs
a smallest example of each (\`packages/autodiff/src/testing/op-examples.ts\`); a test fails where the page and the code disagree.
Operators that are read from files but composed of these are in [importing.md](importing.md#operators).

* **infer**: the inferred type and shape are those that the engine gives.
* **vjp**, **jvp**: agree with central differences in float64 (relative 1e-7) and with each other, ⟨u, J·v⟩ = ⟨Jᵀ·u, v⟩ (1e-11).
  *zero*: the result is whole numbers, or flat wherever it has a derivative. *refused*: differentiating it is an error that says why.
* **second order**: the jvp of the vjp agrees with central differences of the vjp.
* **float64**, with ONNX Runtime 1.30 on the CPU. *native* (${count("native")}): its own kernel. *stand-in* (${count("stand-in") + count("stand-in; kernel exists")}): it has none, so \`compile\`
  puts other operators in place; *kernel exists* where it has one that computes in float32 inside. *composed* (${count("composed")}): made of others as
  the graph is built, at any precision. –: takes no floats.
* **web**: the example and its gradient, in float32 and float64, give the same values in Chromium through onnxruntime-web
  (WebAssembly) as in Node, to 1e-5 and 1e-13 (\`test/browser/autodiff.test.ts\`).

| operator | infer | vjp | jvp | second order | float64 | web |
| --- | --- | --- | --- | --- | --- | --- |
${lines.join("\n")}
`;
}

/** Operators whose examples do not run in the browser, and why. The browser test holds this list to be exact. */
export const webExceptions: Readonly<Record<string, string>> = {};
