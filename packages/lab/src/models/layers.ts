import type { Builder, Value } from "@sedge/autodiff";
import type { Initial } from "./initialisation.js";
import type { ParamSpec } from "./model.js";
import { vectorMultiplier, weightScales, type ParameterizationOptions } from "./parameterization.js";

/** How wide the values before and after a layer are beside the base width; 1 where the data set it. */
export interface LayerRatio {
  readonly in: number;
  readonly out: number;
}

export interface LayerOptions {
  /** Default 1. */
  readonly gain?: number;
  readonly bias?: boolean;
  readonly ratio?: LayerRatio;
  /** Whether the layer makes the model's outputs. Default false. */
  readonly last?: boolean;
}

export interface ConvOptions extends LayerOptions {
  /** Side of the square kernel. Default 3. */
  readonly kernel?: number;
  /** Default 1. */
  readonly stride?: number;
}

/** What a fully connected network needs of its layers. */
export type DenseLayers = Pick<Layers, "b" | "dense">;

const same: LayerRatio = { in: 1, out: 1 };

/**
 * Layers that declare their parameters as graph inputs, in the order of computation, and note how each starts. Images
 * are [batch, C, H, W] inside, kernels [out, in, k, k], dense weights [in, out].
 */
export class Layers {
  readonly params: ParamSpec[] = [];
  readonly initials = new Map<string, Initial>();
  /** Running statistics, which are no parameters. */
  readonly statistics: ParamSpec[] = [];
  /** In training, what the running statistics follow: by `batch/NAME`. */
  readonly batchStatistics: Record<string, Value> = {};

  /** @param training  Whether batch normalisation takes the statistics of the batch, and not the running ones. */
  constructor(
    readonly b: Builder,
    private readonly options: ParameterizationOptions,
    private readonly training = false,
  ) {}

  /** x·W + b over the last axis; parameters `NAME.weight` [in, out], `NAME.bias` [out] unless other names are given. */
  dense(
    name: string,
    x: Value,
    width: number,
    { gain = 1, bias = true, ratio = same, last = false }: LayerOptions = {},
    names = { weight: `${name}.weight`, bias: `${name}.bias` },
  ): Value {
    const { b } = this;
    return b.scope(name, () => {
      const fanIn = x.shape.at(-1) as number;
      const { forward, deviation } = weightScales({ fanIn, ratio, last, gain }, this.options);
      const w = this.declare(names.weight, [fanIn, width], { deviation });
      if (!bias) return this.times(b.dense(x, w), forward);
      const c = this.declare(names.bias, [width], { constant: 0 });
      const multiplier = vectorMultiplier(ratio.out, this.options);
      if (multiplier === forward) return this.times(b.dense(x, w, c), forward);
      return b.add(this.times(b.dense(x, w), forward), this.times(c, multiplier));
    });
  }

  /** A convolution that keeps the image's size but for its stride; parameters `NAME.weight`, `NAME.bias`. */
  conv(
    name: string,
    x: Value,
    width: number,
    { kernel = 3, stride = 1, gain = 1, bias = false, ratio = same, last = false }: ConvOptions = {},
  ): Value {
    const { b } = this;
    return b.scope(name, () => {
      const channels = x.shape[1] as number;
      const fanIn = channels * kernel * kernel;
      const { forward, deviation } = weightScales({ fanIn, ratio, last, gain }, this.options);
      const w = this.declare(`${name}.weight`, [width, channels, kernel, kernel], { deviation });
      const pad = (kernel - 1) / 2;
      const convolve = (c: Value | null) =>
        b.node("Conv", [x, w, c], {
          kernel_shape: [kernel, kernel],
          strides: [stride, stride],
          pads: [pad, pad, pad, pad],
        });
      if (!bias) return this.times(convolve(null), forward);
      const c = this.declare(`${name}.bias`, [width], { constant: 0 });
      const multiplier = vectorMultiplier(ratio.out, this.options);
      if (multiplier === forward) return this.times(convolve(c), forward);
      return b.add(this.times(convolve(null), forward), b.reshape(this.times(c, multiplier), [width, 1, 1]));
    });
  }

  /** Statistics over groups of channels of one example. */
  groupNorm(name: string, x: Value, groups: number, ratio: number): Value {
    const [scale, shift] = this.affine(name, x.shape[1] as number, ratio);
    return this.b.node("GroupNormalization", [x, scale, shift], { num_groups: groups });
  }

  /** Statistics over the last axis. */
  layerNorm(name: string, x: Value, ratio: number): Value {
    const [scale, shift] = this.affine(name, x.shape.at(-1) as number, ratio);
    return this.b.node("LayerNormalization", [x, scale, shift]);
  }

  /**
   * Statistics over the batch and all positions of each channel: while training those of the batch, in all else the
   * running ones, `NAME.mean` and `NAME.variance` [C], 0 and 1 at the start. As `torch.nn.BatchNorm2d`: ε = 1e-5, and
   * the variance that the running one follows is the unbiased one.
   */
  batchNorm(name: string, x: Value, ratio: number): Value {
    const { b } = this;
    const width = x.shape[1] as number;
    const [scale, shift] = this.affine(name, width, ratio);
    const [mean, variance] = [`${name}.mean`, `${name}.variance`];
    this.statistics.push({ name: mean, shape: [width] }, { name: variance, shape: [width] });
    this.initials.set(mean, { constant: 0 }).set(variance, { constant: 1 });
    if (!this.training) {
      return b.node("BatchNormalization", [x, scale, shift, b.input(mean, [width]), b.input(variance, [width])]);
    }
    const axes = [0, 2, 3];
    const batchMean = b.reduceMean(x, axes, { keepDims: true });
    const centred = b.sub(x, batchMean);
    const batchVariance = b.reduceMean(b.mul(centred, centred), axes, { keepDims: true });
    const count = b.count([x.shape[0]!, x.shape[2]!, x.shape[3]!], x.type);
    const unbiased = b.mul(batchVariance, b.div(count, b.max(b.sub(count, 1), 1)));
    this.batchStatistics[`batch/${mean}`] = b.reshape(batchMean, [width]);
    this.batchStatistics[`batch/${variance}`] = b.reshape(unbiased, [width]);
    const normal = b.div(centred, b.sqrt(b.add(batchVariance, 1e-5)));
    return b.add(b.mul(normal, b.reshape(scale, [width, 1, 1])), b.reshape(shift, [width, 1, 1]));
  }

  /** A parameter that is added to activations: the embedding of positions. Normals of this deviation at the start. */
  embedding(name: string, shape: readonly number[], deviation: number, ratio: number): Value {
    const multiplier = vectorMultiplier(ratio, this.options);
    return this.times(this.declare(name, shape, { deviation: deviation / multiplier }), multiplier);
  }

  /** Scale and shift of a normalisation, `NAME.scale` and `NAME.shift`: 1 and 0 at the start. */
  affine(name: string, width: number, ratio: number): readonly [Value, Value] {
    const multiplier = vectorMultiplier(ratio, this.options);
    return [
      this.times(this.declare(`${name}.scale`, [width], { constant: 1 / multiplier }), multiplier),
      this.times(this.declare(`${name}.shift`, [width], { constant: 0 }), multiplier),
    ];
  }

  private declare(name: string, shape: readonly number[], initial: Initial): Value {
    this.params.push({ name, shape });
    this.initials.set(name, initial);
    return this.b.input(name, shape);
  }

  private times(value: Value, factor: number): Value {
    return factor === 1 ? value : this.b.mul(value, factor);
  }
}
