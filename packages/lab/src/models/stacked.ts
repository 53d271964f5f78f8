import type { Builder, Value } from "@sedge/autodiff";
import type { DenseLayers, LayerOptions } from "./layers.js";
import type { StackedModel } from "./model.js";
import { vectorMultiplier, weightScales, type ParameterizationOptions } from "./parameterization.js";

/** A network of dense layers for many sets of parameters, from the function that builds it for one. */
export function stackedParts(
  build: (layers: DenseLayers, x: Value) => Value,
  options: ParameterizationOptions,
): StackedModel {
  return (b, x, params, product) => build(new StackedLayers(b, options, params, product), x);
}

/** Dense layers as `Layers` has them, with a leading axis of runs everywhere. */
class StackedLayers implements DenseLayers {
  constructor(
    readonly b: Builder,
    private readonly options: ParameterizationOptions,
    private readonly params: Readonly<Record<string, Value>>,
    /** x·W of the first layer. */
    private product: Value | undefined,
  ) {}

  dense(
    name: string,
    x: Value,
    _width: number,
    { gain = 1, bias = true, ratio = { in: 1, out: 1 }, last = false }: LayerOptions = {},
    names = { weight: `${name}.weight`, bias: `${name}.bias` },
  ): Value {
    const { b, options } = this;
    const times = (value: Value, factor: number) => (factor === 1 ? value : b.mul(value, factor));
    const { forward } = weightScales({ fanIn: x.shape.at(-1) as number, ratio, last, gain }, options);
    const product = times(this.product ?? b.matMul(x, this.params[names.weight]!), forward);
    this.product = undefined;
    if (!bias) return product;
    const c = b.unsqueeze(this.params[names.bias]!, [1]);
    return b.add(product, times(c, vectorMultiplier(ratio.out, options)));
  }
}
