/**
 * The image networks of the peers: a CNN, ResNet-18 with GroupNorm, a vision transformer; images NCHW, kernels OIHW, dense
 * weights [in, out]. Parameters come in the order and with the shapes and scales of the peers; the numbers drawn differ.
 */
import { graph, type Builder, type Graph, type Value } from "@sedge/autodiff";
import { createRandom, type Random } from "@sedge/linalg";

export interface ImageModel {
  /** Inputs "x" float32 [batch, 3, 32, 32], "y" int64 [batch] and the parameters; outputs "output" [batch, 10], "loss". */
  readonly graph: Graph;
  readonly params: Readonly<Record<string, Float32Array>>;
}

/** 1000 images of normal numbers [1000, 3, 32, 32], and labels. */
export function images(): { x: Float32Array; y: BigInt64Array } {
  const random = createRandom("bench/images");
  return {
    x: Float32Array.from({ length: 1000 * 3 * 32 * 32 }, () => random.normal()),
    y: BigInt64Array.from({ length: 1000 }, () => BigInt(random.integer(10))),
  };
}

/** Three convolutions (32, 64 with stride 2, 64) with Gelu, mean over positions, a dense layer. */
export const cnn = (): ImageModel =>
  classifier("cnn", (net, x) => {
    let h = net.b.gelu(net.conv("c1", x, 32, { bias: true, gain: Math.SQRT2 }));
    h = net.b.gelu(net.conv("c2", h, 64, { stride: 2, bias: true, gain: Math.SQRT2 }));
    h = net.b.gelu(net.conv("c3", h, 64, { bias: true, gain: Math.SQRT2 }));
    return net.dense("fc", net.b.reduceMean(h, [2, 3]), 10);
  });

/** Width and stride of each basic block. */
const blocks = [
  [64, 1],
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
] as const;

/** ResNet-18 for small images: 3×3 stem, no pooling, GroupNorm with 8 groups. */
export const resnet18 = (): ImageModel =>
  classifier("resnet18", (net, x) => {
    const { b } = net;
    let h = b.relu(net.groupNorm("n", net.conv("c", x, 64, { gain: Math.SQRT2 })));
    for (const [i, [width, stride]] of blocks.entries()) {
      const first = b.relu(net.groupNorm(`b${i}.n1`, net.conv(`b${i}.c1`, h, width, { stride, gain: Math.SQRT2 })));
      const second = net.groupNorm(`b${i}.n2`, net.conv(`b${i}.c2`, first, width, { gain: Math.SQRT2 }));
      const narrow = stride === 1 && h.shape[1] === width;
      const shortcut = narrow ? h : net.groupNorm(`b${i}.n3`, net.conv(`b${i}.c3`, h, width, { stride, kernel: 1 }));
      h = b.relu(b.add(second, shortcut));
    }
    return net.dense("fc", b.reduceMean(h, [2, 3]), 10);
  });

const vitSizes = { patch: 4, depth: 6, width: 192, heads: 3, tokens: 64 } as const;

/** Six pre-norm blocks of width 192, three heads, over 64 patches of 4×4. */
export const vit = (): ImageModel =>
  classifier("vit", (net, x) => {
    const { b } = net;
    const { depth, width, tokens } = vitSizes;
    const batch = x.shape[0]!;
    const position = net.param("pos", [1, tokens, width], 0.02);
    // A patch is flattened in the order row, column, channel.
    const apart = b.transpose(b.reshape(x, [batch, 3, 8, 4, 8, 4]), [0, 2, 4, 3, 5, 1]);
    let h = b.add(net.dense("e", b.reshape(apart, [batch, tokens, 48]), width), position);
    for (let i = 0; i < depth; i++) {
      h = b.add(h, net.dense(`b${i}.o`, net.attention(`b${i}`, net.layerNorm(`b${i}.n1`, h)), width));
      const wide = b.gelu(net.dense(`b${i}.u`, net.layerNorm(`b${i}.n2`, h), 4 * width));
      h = b.add(h, net.dense(`b${i}.v`, wide, width));
    }
    return net.dense("fc", b.reduceMean(net.layerNorm("n", h), [1]), 10);
  });

function classifier(name: string, build: (net: Network, x: Value) => Value): ImageModel {
  const params: Record<string, Float32Array> = {};
  const model = graph(
    (b) => {
      const net = new Network(b, params, createRandom(`bench/${name}`));
      const x = b.input("x", ["batch", 3, 32, 32]);
      const y = b.input("y", ["batch"], "int64");
      const output = build(net, x);
      return { output, loss: b.crossEntropy(output, y) };
    },
    { name },
  );
  return { graph: model, params };
}

/** Layers that declare their parameters as inputs and draw their values. */
class Network {
  constructor(
    readonly b: Builder,
    private readonly params: Record<string, Float32Array>,
    private readonly random: Random,
  ) {}

  /** An input of normal numbers times `scale`. */
  param(name: string, shape: readonly number[], scale: number): Value {
    return this.declare(name, shape, () => scale * this.random.normal());
  }

  conv(
    name: string,
    x: Value,
    width: number,
    {
      kernel = 3,
      stride = 1,
      bias = false,
      gain = 1,
    }: { kernel?: number; stride?: number; bias?: boolean; gain?: number },
  ): Value {
    const channels = x.shape[1] as number;
    const w = this.param(`${name}.w`, [width, channels, kernel, kernel], gain / Math.sqrt(channels * kernel * kernel));
    const pad = (kernel - 1) / 2;
    return this.b.node("Conv", [x, w, bias ? this.declare(`${name}.b`, [width], () => 0) : null], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
  }

  dense(name: string, x: Value, width: number): Value {
    const inputs = x.shape.at(-1) as number;
    const w = this.param(`${name}.w`, [inputs, width], 1 / Math.sqrt(inputs));
    return this.b.dense(
      x,
      w,
      this.declare(`${name}.b`, [width], () => 0),
    );
  }

  groupNorm(name: string, x: Value): Value {
    return this.b.node("GroupNormalization", [x, ...this.affine(name, x.shape[1] as number)], { num_groups: 8 });
  }

  layerNorm(name: string, x: Value): Value {
    return this.b.node("LayerNormalization", [x, ...this.affine(name, x.shape.at(-1) as number)]);
  }

  /** Softmax attention of three heads over [batch, tokens, width], before the output layer. */
  attention(name: string, x: Value): Value {
    const { b } = this;
    const { heads, width, tokens } = vitSizes;
    const batch = x.shape[0]!;
    const size = width / heads;
    const joint = b.reshape(this.dense(`${name}.qkv`, x, 3 * width), [batch, tokens, 3, heads, size]);
    const parts = b.splitSizes(b.transpose(joint, [2, 0, 3, 1, 4]), [1, 1, 1], 0).map((part) => b.squeeze(part, [0]));
    const [q, k, v] = parts as [Value, Value, Value];
    const weights = b.softmax(b.mul(b.matMul(q, b.transposeLast(k)), 1 / Math.sqrt(size)));
    return b.reshape(b.transpose(b.matMul(weights, v), [0, 2, 1, 3]), [batch, tokens, width]);
  }

  private affine(name: string, width: number): [Value, Value] {
    return [this.declare(`${name}.g`, [width], () => 1), this.declare(`${name}.b`, [width], () => 0)];
  }

  private declare(name: string, shape: readonly number[], draw: () => number): Value {
    this.params[name] = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, draw);
    return this.b.input(name, shape);
  }
}
