import { BadInput } from "../errors.js";

/** Images of one size with their labels, as their files have them. */
export interface ImageSet {
  readonly examples: number;
  readonly height: number;
  readonly width: number;
  /** 1 for grey, 3 for red, green, blue. */
  readonly channels: number;
  /** Row-major `[examples, height, width, channels]`, 0 to 255. */
  readonly pixels: Uint8Array;
  /** Of each image: a place in `classes`. */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
  /** One line for people: which files, which images. */
  readonly description: string;
}

export interface Normalisation {
  /** Of each channel, on the scale where white is 1; one number is for all channels. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Where the channels stand in one image's numbers: `[H, W, C]` or, as PyTorch has them, `[C, H, W]`. */
export type ImageLayout = "channels-last" | "channels-first";

/**
 * The images as a model's input, (pixel/255 − mean)/deviation by channel.
 *
 * @returns Row-major `[examples, height, width, channels]`, or `[examples, channels, height, width]`.
 * @throws BadInput if mean or deviation have neither one number nor one a channel, or a deviation is not above 0.
 */
export function imageInputs(set: ImageSet, { mean, deviation }: Normalisation, layout: ImageLayout): Float32Array {
  const { examples, height, width, channels, pixels } = set;
  const tables = channelTables(channels, mean, deviation);
  const inputs = new Float32Array(pixels.length);
  const area = height * width;
  for (let image = 0; image < examples; image++) {
    const first = image * area * channels;
    for (let channel = 0; channel < channels; channel++) {
      const table = tables[channel]!;
      const [start, step] = layout === "channels-last" ? [first + channel, channels] : [first + channel * area, 1];
      for (let at = 0; at < area; at++) {
        inputs[start + at * step] = table[pixels[first + at * channels + channel]!]!;
      }
    }
  }
  return inputs;
}

function channelTables(channels: number, mean: readonly number[], deviation: readonly number[]): Float32Array[] {
  for (const [name, values, isGood] of [
    ["mean", mean, Number.isFinite],
    ["deviation", deviation, (x: number) => x > 0 && x < Infinity],
  ] as const) {
    if ((values.length === 1 || values.length === channels) && values.every(isGood)) continue;
    const wanted = name === "mean" ? "finite numbers" : "numbers above 0";
    throw new BadInput(
      `imageInputs: ${name}: expected ${channels === 1 ? "1" : `1 or ${channels}`} ${wanted}, got ${values.join(", ") || "none"}.`,
    );
  }
  return Array.from({ length: channels }, (_, channel) => {
    const centre = mean[mean.length === 1 ? 0 : channel]!;
    const scale = deviation[deviation.length === 1 ? 0 : channel]!;
    return Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - centre) / scale);
  });
}

/** Mean and standard deviation of each channel over the whole set, on the scale where white is 1. */
export function channelStatistics({ channels, pixels }: ImageSet): { mean: number[]; deviation: number[] } {
  const count = pixels.length / channels;
  const mean = new Array<number>(channels).fill(0);
  const deviation = new Array<number>(channels).fill(0);
  // Sums of whole numbers below 2^53: exact, so that the two passes of a stable variance are not needed.
  for (let at = 0; at < pixels.length; at++) {
    const value = pixels[at]!;
    mean[at % channels]! += value;
    deviation[at % channels]! += value * value;
  }
  for (let channel = 0; channel < channels; channel++) {
    const average = mean[channel]! / count;
    deviation[channel] = Math.sqrt(Math.max(0, deviation[channel]! / count - average * average)) / 255;
    mean[channel] = average / 255;
  }
  return { mean, deviation };
}
