import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as autodiff from "../index.js";
import * as node from "../node.js";
import { fixturePath, pytorchFixtures } from "../testing/pytorch-fixture.js";

/** The guide's code as a function body: imports become what the packages export, and the results are returned. */
function runnable(code: string, returns: readonly string[]): string {
  const body = code.replace(
    /import \{([^}]*)\} from "([^"]*)";/g,
    (_, names: string, from: string) => `const {${names}} = modules["${from}"];`,
  );
  return `${body}\nreturn { ${returns.join(", ")} };`;
}

test("the guide's first example finds PyTorch's loss and top eigenvalue", async () => {
  const guide = readFileSync(new URL("../../../../docs/autodiff/importing.md", import.meta.url), "utf8");
  const code = /```js\n([\s\S]*?)```/
    .exec(guide)![1]!
    .replace('"model.onnx"', JSON.stringify(fixturePath("cnn-dynamo-20.onnx")));
  const fixture = pytorchFixtures().find(({ name }) => name === "cnn")! as ReturnType<
    typeof pytorchFixtures
  >[number] & {
    hessianTopEigenvalue: number;
  };
  const AsyncFunction = (async () => undefined).constructor as new (
    ...parts: string[]
  ) => (
    ...values: unknown[]
  ) => Promise<{ result: Record<string, autodiff.Tensor>; sharpness: number; unused: string[] }>;
  const run = new AsyncFunction("modules", "images", "classes", runnable(code, ["result", "sharpness", "unused"]));
  const modules = { "@sedge/autodiff": autodiff, "@sedge/autodiff/node": node };
  const { result, sharpness, unused } = await run(modules, fixture.inputs.x!.data, fixture.loss.targets.data);
  // Some hundred float32 roundings of 6e-8.
  expect(Math.abs(autodiff.scalarOf(result.loss!) / fixture.loss.value - 1)).toBeLessThan(1e-5);
  // Power iteration closes in with (λ₂/λ₁)^400, and float32 products leave 1e-6.
  expect(Math.abs(sharpness / fixture.hessianTopEigenvalue - 1)).toBeLessThan(1e-4);
  expect(unused).toEqual([]);
});
