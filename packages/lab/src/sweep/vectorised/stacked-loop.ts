import { Builder, graphOf, type Graph, type Value } from "@sedge/autodiff";
import type { Model, ParamSpec } from "../../models/model.js";
import type { Loss } from "../../objectives/objective.js";

export interface StackedLoopOptions {
  /** One that has `stacked`. */
  readonly model: Model;
  readonly loss: Loss;
  readonly labelSmoothing: number;
  readonly batchSize: number;
  /** Whether any run has momentum: each then has a velocity for every parameter. */
  readonly momentum: boolean;
  /** Whether any run has weight decay. */
  readonly weightDecay: boolean;
  /** Steps of a block: see `blockedLoop`. 1 for none. */
  readonly span: number;
}

type Values = Readonly<Record<string, Value>>;

/**
 * The training loop of many runs: SGD on each, with minibatches, learning rates, momenta and weight decays of their own.
 *
 * Inputs: every parameter [runs, ...shape], with momentum also `velocity/NAME`; the data `x` and `y` of all; `indices`
 * int64 [blocks, runs, span·B] and `learningRate` [blocks, runs, span], each run's steps end to end; `momentum` and
 * `weightDecay` [runs] where any run has them. Outputs: what is carried, and `loss` [blocks, span, runs], each before its
 * update. A step of learning rate 0 changes nothing where there is no momentum: padding. The loop never stops early,
 * because the runs are independent: one that diverges fills with NaN alone.
 */
export function stackedLoop(options: StackedLoopOptions): Graph {
  return options.span === 1 ? plainLoop(options) : blockedLoop(options);
}

function plainLoop(options: StackedLoopOptions): Graph {
  const { model, batchSize } = options;
  const b = new Builder();
  const inputs = declare(b, options);
  const momenta = options.momentum ? b.input("momentum", ["runs"]) : undefined;
  const decays = options.weightDecay ? b.input("weightDecay", ["runs"]) : undefined;
  const { state, scan } = b.loop({
    steps: b.squeeze(b.dimension("blocks"), [0]),
    state: inputs.carried,
    body: ({ step, state: now }) => {
      const chosen = b.gather(inputs.indices, step); // [runs, B]
      const learningRate = b.squeeze(b.gather(inputs.learningRate, step), [1]); // [runs]
      const params = pick(now, model.params);
      const output = model.stacked!(b, b.gather(inputs.x, chosen), params);
      const loss = lossOf(b, output, b.gather(inputs.y, chosen), batchSize, options, model.outputs);
      // Each run's loss depends on its parameters only, so the gradient of a sum is every run's gradient.
      const total = b.reduceSum(momenta ? loss : b.mul(loss, learningRate));
      const gradients = b.gradient(
        total,
        model.params.map(({ name }) => params[name]!),
      );
      const next: Record<string, Value> = {};
      for (const [i, { name, shape }] of model.params.entries()) {
        const rank = shape.length + 1;
        const eta = spread(b, learningRate, rank);
        const param = params[name]!;
        const gradient = gradients[i]!;
        if (!momenta) {
          const kept = decays ? b.mul(param, b.sub(1, b.mul(eta, spread(b, decays, rank)))) : param;
          next[name] = b.sub(kept, gradient);
          continue;
        }
        const slope = decays ? b.add(gradient, b.mul(param, spread(b, decays, rank))) : gradient;
        const velocity = b.add(slope, b.mul(now[`velocity/${name}`]!, spread(b, momenta, rank)));
        next[`velocity/${name}`] = velocity;
        next[name] = b.sub(param, b.mul(velocity, eta));
      }
      return { state: next, scan: { loss: b.unsqueeze(loss, [0]) } };
    },
  });
  return graphOf({ ...state, loss: scan.loss }, `${model.graph.name}/stacked`, b.declaredInputs());
}

/**
 * The same without momentum and decay, with the first layer's updates delayed. A step at small B reads that layer's
 * weights once and writes them once, which is most of its time; but all it needs of them is x·W, and
 *
 *     x_t·W_t = x_t·W_0 − Σ_{s<t} (x_t·x_s) δ_s        W_T = W_0 − Σ_s x_sᵀ δ_s
 *
 * with δ_s the (learning-rate times) gradient at the layer's product. Over a block of T steps X·W_0, X·Xᵀ and Xᵀ·δ are
 * three matrix products, and a step only reads the T·B rows of δ. The same sums in another order.
 */
function blockedLoop(options: StackedLoopOptions): Graph {
  const { model, batchSize, span } = options;
  const rows = span * batchSize;
  const b = new Builder();
  const inputs = declare(b, options);
  const [first, ...others] = model.params as [ParamSpec, ...ParamSpec[]];
  // Row t holds the places in a block of step t's examples, and as a 0/1 matrix [rows, B] where they go.
  const places = b.constant(
    Array.from({ length: rows }, (_, i) => i),
    { type: "int64", shape: [span, batchSize] },
  );
  const placement = new Float32Array(span * rows * batchSize);
  for (let row = 0; row < rows; row++) {
    const step = Math.floor(row / batchSize);
    placement[(step * rows + row) * batchSize + (row % batchSize)] = 1;
  }
  const placing = b.constant(placement, { shape: [span, rows, batchSize] });

  const { state, scan } = b.loop({
    steps: b.squeeze(b.dimension("blocks"), [0]),
    state: inputs.carried,
    body: ({ step: block, state: outer }) => {
      const chosen = b.gather(inputs.indices, block); // [runs, rows]
      const learningRate = b.gather(inputs.learningRate, block); // [runs, span]
      const x = b.gather(inputs.x, chosen); // [runs, rows, inputs]
      const xT = b.transpose(x, [0, 2, 1]);
      const y = b.gather(inputs.y, chosen);
      const products = b.matMul(x, outer[first.name]!);
      const gram = b.matMul(x, xT);
      const before: Record<string, Value> = { ...pick(outer, others), delta: b.zerosLike(products) };
      const inner = b.loop({
        steps: span,
        state: before,
        body: ({ step, state: now }) => {
          const mine = b.gather(places, step); // [B]
          const delta = now["delta"]!;
          const product = b.sub(b.gather(products, mine, 1), b.matMul(b.gather(gram, mine, 1), delta));
          const params: Values = { ...pick(now, others), [first.name]: outer[first.name]! };
          const output = model.stacked!(b, x, params, product);
          const loss = lossOf(b, output, b.gather(y, mine, 1), batchSize, options, model.outputs);
          const total = b.reduceSum(b.mul(loss, b.gather(learningRate, step, 1)));
          const [change, ...gradients] = b.gradient(total, [product, ...others.map(({ name }) => params[name]!)]);
          const next: Record<string, Value> = { delta: b.add(delta, b.matMul(b.gather(placing, step), change!)) };
          for (const [i, { name }] of others.entries()) next[name] = b.sub(params[name]!, gradients[i]!);
          return { state: next, scan: { loss } };
        },
      });
      const updated = b.sub(outer[first.name]!, b.matMul(xT, inner.state["delta"]!));
      return { state: { ...pick(inner.state, others), [first.name]: updated }, scan: { loss: inner.scan.loss } };
    },
  });
  return graphOf({ ...state, loss: scan.loss }, `${model.graph.name}/stacked`, b.declaredInputs());
}

function declare(b: Builder, { model, batchSize, momentum, span }: StackedLoopOptions) {
  const carried: Record<string, Value> = {};
  for (const { name, shape } of model.params) carried[name] = b.input(name, ["runs", ...shape]);
  if (momentum) {
    for (const { name, shape } of model.params)
      carried[`velocity/${name}`] = b.input(`velocity/${name}`, ["runs", ...shape]);
  }
  return {
    carried,
    x: b.input("x", ["examples", ...model.inputShape]),
    y: b.input("y", ["examples", model.outputs]),
    indices: b.input("indices", ["blocks", "runs", span * batchSize], "int64"),
    learningRate: b.input("learningRate", ["blocks", "runs", span]),
  };
}

/** Each run's mean loss over its minibatch [runs], from outputs and targets [runs, B, C]. */
function lossOf(
  b: Builder,
  output: Value,
  y: Value,
  batchSize: number,
  { loss, labelSmoothing }: StackedLoopOptions,
  outputs: number,
): Value {
  if (loss === "cross-entropy") {
    const smoothed = labelSmoothing === 0 ? y : b.add(b.mul(y, 1 - labelSmoothing), labelSmoothing / outputs);
    return b.mul(b.reduceSum(b.mul(b.logSoftmax(output), smoothed), [1, 2]), -1 / batchSize);
  }
  const squares = b.reduceSumSquare(b.sub(output, y), [1, 2]);
  return b.mul(squares, (loss === "squared" ? 0.5 : 1 / outputs) / batchSize);
}

/** [runs] as [runs, 1, …] of this rank. */
function spread(b: Builder, perRun: Value, rank: number): Value {
  return b.unsqueeze(
    perRun,
    Array.from({ length: rank - 1 }, (_, i) => i + 1),
  );
}

const pick = (values: Values, specs: readonly ParamSpec[]): Record<string, Value> =>
  Object.fromEntries(specs.map(({ name }) => [name, values[name]!]));
