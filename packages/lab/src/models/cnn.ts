import { activate, type Activation } from "./activation.js";
import { buildModel, requireImage, requireSizes } from "./build-model.js";
import type { Model } from "./model.js";
import type { ParameterizationOptions } from "./parameterization.js";

export interface CnnOptions extends ParameterizationOptions {
  /** Height, width and channels of an image. */
  readonly inputShape: readonly number[];
  /** C. */
  readonly outputs: number;
  /** Channels after each 3×3 convolution; the second and every other one after it halve the image. Default 32, 64, 64. */
  readonly widths?: readonly number[];
  /** Default gelu. */
  readonly activation?: Activation;
  /** Of the first convolution, where `mup` equals `standard`. Others scale along. Default 32. */
  readonly baseWidth?: number;
}

/**
 * The small CNN: convolutions with bias, each followed by the activation, then the mean over positions and a dense layer.
 * Parameters `conv1.weight`, `conv1.bias`, …, `head.weight`, `head.bias`.
 *
 * Initialisation (He normal): kernels N(0, 2/fan-in), the head N(0, 1/in), biases 0.
 *
 * @throws RangeError if a size is not a positive integer, or there is no layer.
 */
export function cnn({
  inputShape,
  outputs,
  widths = [32, 64, 64],
  activation = "gelu",
  baseWidth = 32,
  ...parameterization
}: CnnOptions): Model {
  const [height, width, channels] = requireImage("cnn", inputShape);
  requireSizes("cnn", { outputs, widths, baseWidth });
  const first = widths[0];
  if (first === undefined) throw new RangeError("cnn: expected widths of one convolution at least, got none.");
  const ratio = first / baseWidth;
  return buildModel({
    name: "cnn",
    description: `cnn ${height}×${width}×${channels}, ${widths.join("-")}, ${outputs} outputs, ${activation}`,
    inputShape,
    outputs,
    parameterization,
    build: (layers, x) => {
      const { b } = layers;
      let value = b.transpose(x, [0, 3, 1, 2]);
      for (const [i, channelsOut] of widths.entries()) {
        const made = layers.conv(`conv${i + 1}`, value, channelsOut, {
          stride: i % 2 === 1 ? 2 : 1,
          bias: true,
          gain: Math.SQRT2,
          ratio: { in: i === 0 ? 1 : ratio, out: ratio },
        });
        value = activate(b, activation, made);
      }
      return layers.dense("head", b.reduceMean(value, [2, 3]), outputs, { ratio: { in: ratio, out: 1 }, last: true });
    },
  });
}
