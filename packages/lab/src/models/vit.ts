import type { Value } from "@sedge/autodiff";
import { buildModel, requireImage, requireSizes } from "./build-model.js";
import type { Layers, LayerRatio } from "./layers.js";
import type { Model } from "./model.js";
import type { ParameterizationOptions } from "./parameterization.js";

/** Width, blocks and attention heads. `tiny` to `base` are those of Touvron et al. (DeiT, arXiv:2012.12877). */
export const vitSizes = {
  mini: { width: 192, depth: 6, heads: 3 },
  tiny: { width: 192, depth: 12, heads: 3 },
  small: { width: 384, depth: 12, heads: 6 },
  base: { width: 768, depth: 12, heads: 12 },
} as const;

export interface VitOptions extends ParameterizationOptions {
  /** Height, width and channels of an image. */
  readonly inputShape: readonly number[];
  /** C. */
  readonly outputs: number;
  /** Default `mini`, six blocks of width 192: what trains on 32×32 images in reasonable time. */
  readonly size?: keyof typeof vitSizes;
  /** Side of a square patch. Default 4. */
  readonly patch?: number;
  /** In place of the size's. */
  readonly width?: number;
  /** Blocks, in place of the size's. */
  readonly depth?: number;
  /** In place of the size's. */
  readonly heads?: number;
  /** Where `mup` equals `standard`. Default 192. */
  readonly baseWidth?: number;
}

/**
 * A vision transformer (Dosovitskiy et al., arXiv:2010.11929) of pre-norm blocks: softmax attention, then a perceptron
 * of four times the width with Gelu. Learned positions; the mean over patches and a dense layer at the end; no class
 * token, no dropout. Attention scores are divided by √(head size), also for `mup`: heads grow in number, not in size.
 *
 * Parameters `embed.weight`, `position` [1, patches, width], `block1.norm1.scale`, `block1.qkv.weight` [width, 3·width]
 * (q, k, v, each head by head), `block1.out`, `block1.norm2`, `block1.up`, `block1.down`, …, `norm`, `head`.
 *
 * Initialisation: weights N(0, 1/in), positions N(0, 0.02²), biases 0.
 *
 * @throws RangeError if a size is not a positive integer, the patches do not tile the image, or the heads not the width.
 */
export function vit({ inputShape, outputs, size = "mini", patch = 4, baseWidth = 192, ...options }: VitOptions): Model {
  const { width = vitSizes[size].width, depth = vitSizes[size].depth, heads = vitSizes[size].heads, ...rest } = options;
  const [height, imageWidth, channels] = requireImage("vit", inputShape);
  requireSizes("vit", { outputs, patch, width, depth, heads, baseWidth });
  if (height % patch !== 0 || imageWidth % patch !== 0) {
    throw new RangeError(`vit: expected a patch that divides ${height} and ${imageWidth}, got ${patch}.`);
  }
  if (width % heads !== 0) throw new RangeError(`vit: expected heads that divide the width ${width}, got ${heads}.`);
  const [rows, columns] = [height / patch, imageWidth / patch];
  const ratio = width / baseWidth;
  const inner: LayerRatio = { in: ratio, out: ratio };

  return buildModel({
    name: "vit",
    description: `vit ${height}×${imageWidth}×${channels}, patch ${patch}, ${depth} blocks of width ${width}, ${heads} heads, ${outputs} outputs`,
    inputShape,
    outputs,
    parameterization: rest,
    build: (layers, x) => {
      const { b } = layers;
      const batch = x.shape[0]!;
      const tokens = rows * columns;
      // A patch is flattened in the order row, column, channel.
      const apart = b.transpose(b.reshape(x, [batch, rows, patch, columns, patch, channels]), [0, 1, 3, 2, 4, 5]);
      const patches = b.reshape(apart, [batch, tokens, patch * patch * channels]);
      const embedded = layers.dense("embed", patches, width, { ratio: { in: 1, out: ratio } });
      let value = b.add(embedded, layers.embedding("position", [1, tokens, width], 0.02, ratio));
      for (let i = 1; i <= depth; i++) {
        const name = `block${i}`;
        const mixed = attention(layers, name, layers.layerNorm(`${name}.norm1`, value, ratio), heads, inner);
        value = b.add(value, layers.dense(`${name}.out`, mixed, width, { ratio: inner }));
        const normal = layers.layerNorm(`${name}.norm2`, value, ratio);
        const wide = b.gelu(layers.dense(`${name}.up`, normal, 4 * width, { ratio: inner }));
        value = b.add(value, layers.dense(`${name}.down`, wide, width, { ratio: inner }));
      }
      const pooled = b.reduceMean(layers.layerNorm("norm", value, ratio), [1]);
      return layers.dense("head", pooled, outputs, { ratio: { in: ratio, out: 1 }, last: true });
    },
  });
}

/** softmax(q·kᵀ/√size)·v of every head, side by side: [batch, tokens, width] to the same. */
function attention(layers: Layers, name: string, x: Value, heads: number, ratio: LayerRatio): Value {
  const { b } = layers;
  const [batch, tokens, width] = x.shape as readonly [string, number, number];
  const size = width / heads;
  const joint = b.reshape(layers.dense(`${name}.qkv`, x, 3 * width, { ratio }), [batch, tokens, 3, heads, size]);
  const parts = b.splitSizes(b.transpose(joint, [2, 0, 3, 1, 4]), [1, 1, 1], 0).map((part) => b.squeeze(part, [0]));
  const [q, k, v] = parts as [Value, Value, Value];
  const weights = b.softmax(b.mul(b.matMul(q, b.transposeLast(k)), 1 / Math.sqrt(size)));
  return b.reshape(b.transpose(b.matMul(weights, v), [0, 2, 1, 3]), [batch, tokens, width]);
}
