import { describe, expect, test } from "vitest";
import { importFixture, measure, pytorchFixtures, type Fixture, type FixtureFile } from "../testing/pytorch-fixture.js";

/**
 * The truth is PyTorch's, in float64 on the same float32 weights. Errors are relative to the largest entry of each
 * quantity, over all parameters.
 *
 * float32: a derivative goes through some hundred roundings of 6e-8; at random they add to 6e-7, and the softmaxes and
 * normalisations of these models amplify up to tenfold. Measured at most 1.8e-6.
 */
const FLOAT32 = 1e-5;
/** float64: rounding alone is 1e-16, but ε = 1e-5 of a normalisation is stored in float32, which moves results by 1e-12. */
const FLOAT64 = 1e-10;
/** These files hold √2, 1/√size, 0.0447… as float32 numbers, off by up to 6e-8; squares, cubes and softmax amplify that. */
const ROUNDED_CONSTANTS = 1e-6;
const hasRoundedConstants = ({ file, opset, elementType }: FixtureFile): boolean =>
  elementType === "float32" &&
  (/^(mlp|unet)/.test(file)
    ? opset < 20 || file.startsWith("unet")
    : /^(bert|gpt-torchscript|gpt-dynamo-sdpa|vit-torchscript|vit-dynamo-18|vit-dynamo-sdpa-21)/.test(file));
/** float16 weights are off by 2⁻¹¹ = 5e-4 each. */
const FLOAT16 = 2e-3;

function toleranceOf(file: FixtureFile, precision: "float32" | "float64"): number {
  if (file.elementType === "float16") return FLOAT16;
  if (precision === "float32" && file.elementType === "float32") return FLOAT32;
  return hasRoundedConstants(file) ? ROUNDED_CONSTANTS : FLOAT64;
}

type Product = "gradient" | "hessianProduct" | "gaussNewtonProduct";

/** Largest deviation over all parameters, relative to the largest entry. NaN counts as infinite. */
function relativeError(fixture: Fixture, key: Product, got: ReadonlyMap<string, Float64Array>): number {
  let largest = 0;
  let error = 0;
  for (const param of fixture.params) {
    const values = got.get(param.name)!;
    param[key].forEach((truth, i) => {
      largest = Math.max(largest, Math.abs(truth));
      const deviation = Math.abs(truth - values[i]!);
      error = Math.max(error, Number.isNaN(deviation) ? Infinity : deviation);
    });
  }
  return error / largest;
}

for (const fixture of pytorchFixtures()) {
  describe(`${fixture.name} has PyTorch's loss, gradient, Hessian and Gauss–Newton products`, () => {
    for (const file of fixture.files.filter(({ params }) => params)) {
      test.each(["float32", "float64"] as const)(`${file.file} in %s`, async (precision) => {
        const measured = await measure(fixture, file, importFixture(file), precision);
        const tolerance = toleranceOf(file, precision);
        expect(Math.abs(measured.loss / fixture.loss.value - 1)).toBeLessThan(tolerance);
        expect(relativeError(fixture, "gradient", measured.gradient)).toBeLessThan(tolerance);
        expect(relativeError(fixture, "hessianProduct", measured.hessianProduct)).toBeLessThan(tolerance);
        if (measured.gaussNewtonProduct) {
          expect(relativeError(fixture, "gaussNewtonProduct", measured.gaussNewtonProduct)).toBeLessThan(tolerance);
        }
        if (measured.output) {
          const largest = Math.max(...fixture.output.data.map(Math.abs));
          const errors = fixture.output.data.map((truth, i) => Math.abs(truth - measured.output![i]!));
          expect(Math.max(...errors) / largest).toBeLessThan(tolerance);
        }
      });
    }
  });
}
