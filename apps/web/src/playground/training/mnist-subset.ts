import { oneHot, type Split } from "@sedge/lab/browser";

const side = 28;
const classes = 10;
const mean = 0.1307;
const deviation = 0.3081;

/** The first `examples` images of the file that `mnist-asset.ts` makes, standardised as `mnist()` of @sedge/lab does. */
export function readMnistSubset(bytes: Uint8Array, examples: number): Split {
  const held = bytes.length / (side * side + 1);
  if (!Number.isInteger(held) || held < examples) {
    throw new RangeError(
      `MNIST: expected ${examples} images of ${side} × ${side} bytes, each with a label, got ${bytes.length} bytes.`,
    );
  }
  const table = Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - mean) / deviation);
  const inputs = Float32Array.from(bytes.subarray(0, examples * side * side), (pixel) => table[pixel]!);
  const labels = bytes.subarray(held * side * side, held * side * side + examples);
  return { examples, inputs, targets: oneHot(labels, classes, "MNIST") };
}
