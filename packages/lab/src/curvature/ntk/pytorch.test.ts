import { tensor, type Tensor } from "@sedge/autodiff";
import { describe, expect, test } from "vitest";
import { importFixture, pytorchFixtures } from "../../../../autodiff/src/testing/pytorch-fixture.js";
import { openNtk } from "./ntk.js";
import { relativeError } from "./testing.js";

/**
 * Truth: PyTorch's J Jᵀ/n in float64 on the same float32 weights; for the models with many outputs its trace. Ours is
 * float32, through some hundred roundings of 6e-8 and, in these models, normalisations and softmaxes that amplify up to
 * tenfold: the tolerance of the gradients in the importer's own test.
 */
const FLOAT32 = 1e-5;
/** float16 weights are off by 2⁻¹¹ = 5e-4 each. */
const FLOAT16 = 2e-3;

for (const fixture of pytorchFixtures()) {
  describe(`${fixture.name}, as exported, has PyTorch's NTK`, () => {
    const files = fixture.files.filter(({ params, output }) => params && output === "output");
    test.each(files.map((file) => [file.file, file] as const))("%s", async (_, file) => {
      // Only what PyTorch has for parameters: files hold buffers, such as tables of positions, beside them.
      const own = new Set(Object.values(file.params!).flatMap((places) => places.map((place) => place.name)));
      const imported = importFixture(file, { params: (name) => own.has(name) });
      const params = Object.entries(imported.params).map(([name, { shape }]) => ({ name, shape }));
      const values = Object.fromEntries(
        Object.entries(imported.params).map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]),
      );
      const inputs: Record<string, Tensor> = {};
      for (const [name, { data, shape, type }] of Object.entries(fixture.inputs)) {
        inputs[name] = tensor(data, shape, type === "int64" ? "int64" : "float32");
      }
      const outputs = fixture.output.shape.slice(1).reduce((all, size) => all * size, 1);
      const estimator = await openNtk({ graph: imported.graph, params, outputs });
      const { matrix, examples } = await estimator.measure(values, inputs);
      await estimator.dispose();
      const tolerance = file.elementType === "float16" ? FLOAT16 : FLOAT32;
      const size = examples * outputs;
      const trace = Array.from({ length: size }, (_, k) => matrix[k * size + k]!).reduce((sum, x) => sum + x, 0);
      expect(Math.abs(trace / fixture.ntkTrace - 1)).toBeLessThan(tolerance);
      if (fixture.ntk) expect(relativeError(matrix, fixture.ntk)).toBeLessThan(tolerance);
    });
  });
}
