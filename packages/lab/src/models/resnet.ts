import type { Value } from "@sedge/autodiff";
import { buildModel, requireImage, requireSizes } from "./build-model.js";
import type { Layers, LayerRatio } from "./layers.js";
import type { Model } from "./model.js";
import type { ParameterizationOptions } from "./parameterization.js";

export type Norm = "group" | "batch" | "none";

export interface ResnetOptions extends ParameterizationOptions {
  /** Height, width and channels of an image. */
  readonly inputShape: readonly number[];
  /** C. */
  readonly outputs: number;
  /** 18 and 34 of basic blocks, 50 of bottlenecks. Default 18. */
  readonly depth?: 18 | 34 | 50;
  /** `cifar`: one 3×3 convolution; `imagenet`: 7×7 with stride 2, then 3×3 max pooling with stride 2. Default `cifar`. */
  readonly stem?: "cifar" | "imagenet";
  /**
   * - `group` (default): GroupNorm; an example's output does not depend on the others.
   * - `batch`: trains with the statistics of the minibatch, like everyone. Losses, curvature and K are measured with the
   *   running statistics, held fixed: with live ones the loss is no mean over examples, and the theory does not apply.
   * - `none`: convolutions get biases, and every block's branch is divided by √blocks, without which the activations
   *   would double from block to block (Hayou et al., "Stable ResNet", arXiv:2010.12859).
   */
  readonly norm?: Norm;
  /** Groups of GroupNorm. Default 8. */
  readonly groups?: number;
  /** Channels of the first stage; doubled in each of the three others. Default 64. */
  readonly width?: number;
  /** Where `mup` equals `standard`. Default 64. */
  readonly baseWidth?: number;
}

const stages = { 18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3] } as const;
/** Channels out of a bottleneck over those inside. */
const expansion = 4;

/**
 * A residual network (He et al., arXiv:1512.03385), ReLU, with the mean over positions and a dense layer at the end.
 * Parameters `stem.weight`, `stem.norm.scale`, `stage1.block1.conv1.weight`, …, `shortcut` where the shape changes,
 * `head.weight`, `head.bias`.
 *
 * Initialisation: kernels N(0, 2/fan-in) (He normal), those of shortcuts and the head N(0, 1/fan-in), biases 0.
 *
 * @throws RangeError if a size is not a positive integer, or the groups do not divide the width.
 */
export function resnet({
  inputShape,
  outputs,
  depth = 18,
  stem = "cifar",
  norm = "group",
  groups = 8,
  width = 64,
  baseWidth = 64,
  ...parameterization
}: ResnetOptions): Model {
  const [height, imageWidth, channels] = requireImage("resnet", inputShape);
  requireSizes("resnet", { outputs, groups, width, baseWidth });
  if (norm === "group" && width % groups !== 0) {
    throw new RangeError(`resnet: expected groups that divide the width ${width}, got ${groups}.`);
  }
  const ratio = width / baseWidth;
  const blocks = stages[depth].reduce<number>((sum, count) => sum + count, 0);
  const normName = norm === "group" ? `GroupNorm of ${groups}` : norm === "batch" ? "BatchNorm" : "no normalisation";
  const wide = width === 64 ? "" : `, width ${width}`;

  return buildModel({
    name: `resnet${depth}`,
    description: `resnet-${depth} ${height}×${imageWidth}×${channels}, ${stem} stem, ${normName}${wide}, ${outputs} outputs`,
    inputShape,
    outputs,
    parameterization,
    build: (layers, x) => {
      const { b } = layers;
      const parts = new ResidualParts(layers, norm, groups, ratio, 1 / Math.sqrt(blocks));
      const image = b.transpose(x, [0, 3, 1, 2]);
      const large = stem === "imagenet";
      let value = b.relu(
        parts.convNorm("stem", image, width, { kernel: large ? 7 : 3, stride: large ? 2 : 1, first: true }),
      );
      if (large) value = b.node("MaxPool", [value], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
      for (const [stage, count] of stages[depth].entries()) {
        for (let i = 0; i < count; i++) {
          const name = `stage${stage + 1}.block${i + 1}`;
          const stride = stage > 0 && i === 0 ? 2 : 1;
          value = parts.block(name, value, width * 2 ** stage, stride, depth === 50);
        }
      }
      return layers.dense("head", b.reduceMean(value, [2, 3]), outputs, { ratio: { in: ratio, out: 1 }, last: true });
    },
  });
}

interface ConvNormOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly gain?: number;
  /** Whether the input is the image. */
  readonly first?: boolean;
}

class ResidualParts {
  constructor(
    private readonly layers: Layers,
    private readonly norm: Norm,
    private readonly groups: number,
    private readonly ratio: number,
    private readonly branchScale: number,
  ) {}

  /** A convolution and its normalisation. */
  convNorm(
    name: string,
    x: Value,
    width: number,
    { kernel = 3, stride = 1, gain = Math.SQRT2, first = false }: ConvNormOptions = {},
  ): Value {
    const { layers, norm } = this;
    const ratio: LayerRatio = { in: first ? 1 : this.ratio, out: this.ratio };
    const made = layers.conv(name, x, width, { kernel, stride, gain, bias: norm === "none", ratio });
    if (norm === "none") return made;
    const normName = `${name}.norm`;
    return norm === "group"
      ? layers.groupNorm(normName, made, this.groups, this.ratio)
      : layers.batchNorm(normName, made, this.ratio);
  }

  /** relu(x + branch(x)): two 3×3 convolutions, or a 3×3 one between two 1×1 ones. */
  block(name: string, x: Value, width: number, stride: number, bottleneck: boolean): Value {
    const { b } = this.layers;
    const out = bottleneck ? expansion * width : width;
    const branch = bottleneck
      ? this.bottleneckBranch(name, x, width, stride)
      : this.basicBranch(name, x, width, stride);
    const same = stride === 1 && x.shape[1] === out;
    const shortcut = same ? x : this.convNorm(`${name}.shortcut`, x, out, { kernel: 1, stride, gain: 1 });
    return b.relu(b.add(shortcut, this.norm === "none" ? b.mul(branch, this.branchScale) : branch));
  }

  private basicBranch(name: string, x: Value, width: number, stride: number): Value {
    const first = this.layers.b.relu(this.convNorm(`${name}.conv1`, x, width, { stride }));
    return this.convNorm(`${name}.conv2`, first, width);
  }

  private bottleneckBranch(name: string, x: Value, width: number, stride: number): Value {
    const { b } = this.layers;
    const narrow = b.relu(this.convNorm(`${name}.conv1`, x, width, { kernel: 1 }));
    const middle = b.relu(this.convNorm(`${name}.conv2`, narrow, width, { stride }));
    return this.convNorm(`${name}.conv3`, middle, expansion * width, { kernel: 1 });
  }
}
