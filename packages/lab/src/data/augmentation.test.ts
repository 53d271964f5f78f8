import { compile, graph, numbersOf } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { describe, expect, test } from "vitest";
import { augmentation } from "./augmentation.js";

const [height, width, channels, batchSize, steps] = [5, 4, 2, 3, 6];
const random = createRandom(4);
const images = Float32Array.from(random.normals(batchSize * height * width * channels));

/** What the graph makes of the images with the draws of one step. */
async function augmented(options: { crop?: number; flip?: boolean }, step: number): Promise<Float32Array> {
  const made = augmentation({ inputShape: [height, width, channels], random: createRandom(9), ...options });
  const model = graph((b) => {
    const x = b.input("x", ["batch", height * width * channels]);
    const drawn = b.input("augmentation", ["batch", 2], "int64");
    return { x: made.preparation.apply(b, { x }, { augmentation: drawn })["x"]! };
  });
  const session = await compile(model);
  const { x } = await session.run({ x: images, ...made.draws(step, 1, [batchSize]) });
  await session.dispose();
  return x!.data as Float32Array;
}

/** The image shifted so that its pixel (top − p, left − p) comes first, then mirrored: by loops, no padding. */
function window(image: number, top: number, left: number, mirrored: boolean, pad: number): number[] {
  const pixels: number[] = [];
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      const [row, column] = [r + top - pad, (mirrored ? width - 1 - c : c) + left - pad];
      for (let k = 0; k < channels; k++) {
        const inside = row >= 0 && row < height && column >= 0 && column < width;
        pixels.push(inside ? images[((image * height + row) * width + column) * channels + k]! : 0);
      }
    }
  }
  return pixels;
}

describe("every result is a shifted, perhaps mirrored image, exactly", () => {
  test.each([{ crop: 2, flip: true }, { crop: 1 }, { flip: true }, {}])("%o", async (options) => {
    const { crop = 0, flip = false } = options;
    const seen = new Set<string>();
    for (let step = 0; step < steps; step++) {
      const result = await augmented(options, step);
      for (let i = 0; i < batchSize; i++) {
        const got = Array.from(result.subarray((i * result.length) / batchSize, ((i + 1) * result.length) / batchSize));
        const found: string[] = [];
        for (let top = 0; top <= 2 * crop; top++) {
          for (let left = 0; left <= 2 * crop; left++) {
            for (const mirrored of flip ? [false, true] : [false]) {
              const same = window(i, top, left, mirrored, crop).every((pixel, k) => pixel === got[k]);
              if (same) found.push(`${top},${left},${mirrored}`);
            }
          }
        }
        expect(found.length).toBe(1);
        seen.add(found[0]!);
      }
    }
    // Of 18 draws from 50, 9, 2 or 1 possible windows so many at least are different: chance falls short once in 10⁵.
    const possible = (2 * crop + 1) ** 2 * (flip ? 2 : 1);
    expect(seen.size).toBeGreaterThanOrEqual(Math.min(possible, possible < 4 ? possible : 4));
  });
});

test("draws of a step do not depend on where the call that makes it began", () => {
  const options = { inputShape: [height, width, channels], crop: 2, flip: true, random: createRandom(9) };
  const whole = augmentation(options).draws(0, steps, [steps, batchSize])["augmentation"]!;
  const later = augmentation(options).draws(4, 2, [2, batchSize])["augmentation"]!;
  expect(numbersOf(later)).toEqual(numbersOf(whole).slice(4 * batchSize * 2));
});

test("inputs that are no images are refused", () => {
  expect(() => augmentation({ inputShape: [784], random })).toThrow(
    "data.augment: expected images of height, width and channels, got [784].",
  );
});
