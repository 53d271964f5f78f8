import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as autodiff from "./index.js";

interface Results {
  readonly loss: number;
  readonly results: Record<string, autodiff.Tensor>;
  readonly product: autodiff.Tensor;
}

/** The README's example as it stands, without its import. Plain JavaScript but for the non-null marks. */
const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const example = /```ts\n(.*?)```/s.exec(readme)![1]!;

test("the README's example runs, and its numbers are true", async () => {
  const [line, ...body] = example.split("\n");
  const names = /\{ (.*) \}/.exec(line!)![1]!;
  const source = `export async function run(autodiff) {
    const { ${names} } = autodiff;
    ${body.join("\n").replaceAll("!", "")}
    return { loss: scalarOf(results["loss"]), results, product };
  }`;
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const { run } = (await import(/* @vite-ignore */ url)) as { run: (module: typeof autodiff) => Promise<Results> };
  const { loss, results, product } = await run(autodiff);
  // By hand: rows give tanh(0.6) and tanh(1.5), outputs twice that, residuals 2·tanh − y.
  const residuals = [2 * Math.tanh(0.6) - 1, 2 * Math.tanh(1.5) - 2];
  expect(loss).toBeCloseTo((residuals[0]! ** 2 + residuals[1]! ** 2) / 4, 6);
  expect(example).toContain(`// ${Math.floor(loss * 1e5) / 1e5}…`);
  expect(results["gradient/W1"]!.data).toHaveLength(12);
  expect(product.data).toHaveLength(16);
});
