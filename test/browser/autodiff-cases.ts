/** What the browser and Node both compute, from graph to numbers. */
import {
  compile,
  engineFiles,
  gaussNewtonVectorProduct,
  graph,
  hessianVectorProduct,
  numbersOf,
  taps,
  tensor,
  trainingLoop,
  vjp,
  type Graph,
} from "@sedge/autodiff";
import { exampleGraph, opExamples } from "../../packages/autodiff/src/testing/op-examples.js";

export interface CaseResult {
  readonly values: readonly number[];
  readonly float64: boolean;
}

const params = ["W1", "b1", "W2"];

const model = graph((b) => {
  const x = b.input("x", ["batch", 6]);
  const y = b.input("y", ["batch", 3]);
  const [w1, b1, w2] = [b.input("W1", [6, 5]), b.input("b1", [5]), b.input("W2", [5, 3])];
  const output = b.dense(b.gelu(b.dense(x, w1, b1)), w2);
  return { output, loss: b.crossEntropy(output, y) };
});

/** Numbers without pattern, the same everywhere: multiples of 2⁻¹⁰, so float32 holds them exactly. */
const numbers = (size: number, seed: number): number[] =>
  Array.from({ length: size }, (_, i) => (((i * 7919 + seed * 104729) % 2047) - 1023) / 1024);

const feeds = {
  x: numbers(24, 1),
  y: Array.from({ length: 12 }, (_, i) => Number(i % 4 === 0)),
  W1: numbers(30, 2),
  b1: numbers(5, 3),
  W2: numbers(15, 4),
  vector: numbers(50, 5),
  vectors: tensor(numbers(100, 6), [2, 50]),
  indices: tensor([0, 1, 2, 3, 1, 1], [3, 2], "int64"),
  learningRate: [0.1, 0.2, 0.1],
};

/** 2·[1, 2] on WebGPU, or the error that asking for it ends in. */
export async function webgpuCase(engineBase: string): Promise<readonly number[] | string> {
  engineFiles.base = engineBase;
  const doubled = graph((b) => ({ y: b.mul(b.input("x", ["n"]), 2) }));
  try {
    const session = await compile(doubled, { device: "webgpu" });
    const { y } = await session.run({ x: [1, 2] });
    await session.dispose();
    return numbersOf(y!);
  } catch (error) {
    return String(error);
  }
}

/** Every result by name. @param engineBase  Where a page finds the engine's files. */
export async function autodiffCases(engineBase?: string): Promise<Record<string, CaseResult>> {
  if (engineBase !== undefined) engineFiles.base = engineBase;
  const results: Record<string, CaseResult> = {};
  const run = async (name: string, of: Graph, precision: "float32" | "float64" = "float32"): Promise<void> => {
    const session = await compile(of, { precision, threads: 2 });
    const outputs = await session.run(precision === "float64" ? { ...feeds, vectors: numbers(100, 6) } : feeds);
    for (const [key, value] of Object.entries(outputs))
      results[`${name}: ${key}`] = { values: numbersOf(value), float64: precision === "float64" };
    await session.dispose();
  };
  const of = { of: "loss", output: "output", wrt: params };
  await run("gradient", vjp(model, of));
  await run("gradient in float64", vjp(model, of), "float64");
  await run("Hessian", hessianVectorProduct(model, { ...of, vectors: "flat" }), "float64");
  await run("Hessian in a loop", hessianVectorProduct(model, { ...of, vectors: "stacked" }));
  await run("Gauss–Newton", gaussNewtonVectorProduct(model, { ...of, vectors: "stacked" }));
  await run("taps", taps(model, { of: "output", params }).graph);
  await run("training", trainingLoop(model, { loss: "loss", params, data: ["x", "y"] }));
  return results;
}

/** The values of every operator's example and of its gradient, or what went wrong. */
export async function operatorCases(engineBase?: string): Promise<Record<string, CaseResult | string>> {
  if (engineBase !== undefined) engineFiles.base = engineBase;
  const results: Record<string, CaseResult | string> = {};
  for (const [op, example] of Object.entries(opExamples)) {
    for (const precision of ["float32", "float64"] as const) {
      try {
        const { graph: of, feeds } = exampleGraph(example, precision);
        const session = await compile(of);
        const outputs = await session.run(feeds);
        await session.dispose();
        const values = Object.values(outputs).flatMap(numbersOf);
        results[`${op} in ${precision}`] = { values, float64: precision === "float64" };
      } catch (error) {
        results[`${op} in ${precision}`] = String(error);
      }
    }
  }
  return results;
}
