/** Training inside one Loop: hundreds of steps in one run of a session, with no JavaScript between them. */
import { Builder, graphOf } from "../builder/builder.js";
import type { Shape } from "../ir/dims.js";
import { GraphError } from "../ir/errors.js";
import type { Graph, Typed, Value } from "../ir/graph.js";
import { inputsOf, outputOf } from "./graphs.js";
import { sgd, type UpdateRule } from "./update-rules.js";

export interface TrainingLoopOptions {
  /** Scalar output: the mean of the loss over the batch. */
  readonly loss: string;
  readonly params: readonly string[];
  /** Inputs with a leading batch axis. */
  readonly data: readonly string[];
  /** Default plain gradient descent. */
  readonly update?: UpdateRule;
  /** The loop ends after a step whose loss exceeds this in magnitude or is not a number. Default 1e30. */
  readonly stopAbove?: number;
  /**
   * Largest Euclidean norm of the whole gradient, weight decay not counted; a longer one is shortened, as by
   * `torch.nn.utils.clip_grad_norm_`: g ← g · min(1, most/(‖g‖ + 1e-6)). Default none.
   */
  readonly clipNorm?: number;
  /**
   * Each step's batch in so many parts, one after another, whose gradients are averaged: less memory, the same step up to
   * rounding. "indices" is then [steps, parts, batch], batch the size of a part. Default 1: in one.
   */
  readonly parts?: number;
  /** Changes batches before the model sees them: augmentation. */
  readonly prepare?: BatchPreparation;
  /**
   * Values that follow outputs, s ← (1 − share)·s + share·output, such as running statistics of a normalisation. They are
   * inputs and outputs of the loop, whether or not the model has inputs of these names.
   */
  readonly follow?: Readonly<Record<string, { readonly output: string; readonly share: number }>>;
}

/** Something done to every batch. What is random about it comes in from outside, drawn for each example and step. */
export interface BatchPreparation {
  /** Inputs of each example: name, type and shape. They become inputs [steps, batch, …], or [steps, parts, batch, …]. */
  readonly draws: Readonly<Record<string, Typed>>;
  /** @param draws  Of this batch, [batch, …]. */
  apply(
    b: Builder,
    batch: Readonly<Record<string, Value>>,
    draws: Readonly<Record<string, Value>>,
  ): Readonly<Record<string, Value>>;
}

type Values = Readonly<Record<string, Value>>;

/**
 * The graph that trains a model on batches drawn from whole-set inputs.
 *
 * Inputs: the parameters; optimiser state ("velocity/W1"); what follows outputs; the data, now with all examples
 * [examples, …]; "indices" int64 [steps, batch], which examples each step takes; "learningRate" [steps], and the rule's
 * factors of each step. Outputs: parameters, state and followers under the same names, and "loss" [steps run], each
 * before its step's update. The step that tripped `stopAbove` has been applied.
 *
 * @param model  Its sizes may be symbolic; the batch then is, and one session serves every batch and chunk length.
 */
export function trainingLoop(model: Graph, options: TrainingLoopOptions): Graph {
  const { loss, params, data, update = sgd(), stopAbove = 1e30, clipNorm, parts = 1, prepare, follow = {} } = options;
  requireSensible(parts, clipNorm);
  const lossType = outputOf("trainingLoop", model, loss).type;
  const formal = inputsOf("trainingLoop", model, params);
  const b = new Builder();
  const weights = declare(b, params, formal);
  const stateNames = new Map(params.map((name, i) => [name, Object.entries(update.state?.(formal[i]!) ?? {})]));
  const optimizer: Record<string, Value> = {};
  for (const [i, name] of params.entries()) {
    for (const [key, shape] of stateNames.get(name)!)
      optimizer[`${key}/${name}`] = b.input(`${key}/${name}`, shape, formal[i]!.type);
  }
  const followed = Object.values(follow).map(({ output }) => outputOf("trainingLoop", model, output));
  const followers = declare(b, Object.keys(follow), followed);
  const whole = wholeSet(b, model, data);
  const lead = parts === 1 ? ["steps", "batch"] : ["steps", parts, "batch"];
  const indices = b.input("indices", lead, "int64");
  const rates = b.input("learningRate", ["steps"], lossType);
  const factors = Object.fromEntries(
    Object.keys(update.perStep ?? {}).map((name) => [name, b.input(name, ["steps"], lossType)]),
  );
  const draws = Object.fromEntries(
    Object.entries(prepare?.draws ?? {}).map(([name, { shape, type }]) => [
      name,
      b.input(name, [...lead, ...shape], type),
    ]),
  );

  /** Loss, gradients and followers after one batch, or one part of it. */
  const passes = (now: Values, chosen: Values, seed: Value | null) => {
    const gathered = Object.fromEntries(data.map((name) => [name, b.gather(whole[name]!, chosen["indices"]!)]));
    const batch = prepare?.apply(b, gathered, chosen) ?? gathered;
    const results = b.call(model, { ...now, ...batch });
    const value = results[loss]!;
    const gradients = b.gradient(
      value,
      params.map((name) => now[name]!),
      seed ? { seed } : {},
    );
    const followed = Object.entries(follow).map(([name, { output, share }]): [string, Value] => [
      name,
      b.add(now[name]!, b.mul(b.sub(results[output]!, now[name]!), share)),
    ]);
    return { value, gradients, followed: Object.fromEntries(followed) };
  };

  /** The same for a batch in parts, of which one is in memory at a time. */
  const passesInParts = (now: Values, chosen: Values, seed: Value | null) => {
    const zeros = Object.fromEntries(params.map((name) => [name, b.zerosLike(now[name]!)]));
    const scale = b.mul(seed ?? b.constant(1, { type: lossType }), 1 / parts);
    const before: Record<string, Value> = {
      ...prefixed("sum", zeros),
      ...prefixed("now", Object.fromEntries(Object.keys(follow).map((name) => [name, now[name]!]))),
      value: b.constant(0, { type: lossType }),
    };
    const { state } = b.loop({
      steps: parts,
      state: before,
      body: ({ step, state: soFar }) => {
        const part = Object.fromEntries(Object.entries(chosen).map(([name, value]) => [name, b.gather(value, step)]));
        const followed = Object.fromEntries(Object.keys(follow).map((name) => [name, soFar[`now/${name}`]!]));
        const pass = passes({ ...now, ...followed }, part, scale);
        const sums = params.map((name, i): [string, Value] => [name, b.add(soFar[`sum/${name}`]!, pass.gradients[i]!)]);
        return {
          state: {
            ...prefixed("sum", Object.fromEntries(sums)),
            ...prefixed("now", pass.followed),
            value: b.add(soFar["value"]!, b.mul(pass.value, 1 / parts)),
          },
        };
      },
    });
    return {
      value: state["value"]!,
      gradients: params.map((name) => state[`sum/${name}`]!),
      followed: Object.fromEntries(Object.keys(follow).map((name) => [name, state[`now/${name}`]!])),
    };
  };

  const { state, scan } = b.loop({
    steps: b.squeeze(b.dimension("steps"), [0]),
    state: { ...weights, ...optimizer, ...followers },
    body: ({ step, state: now }) => {
      const chosen = Object.fromEntries(
        Object.entries({ indices, ...draws }).map(([name, value]) => [name, b.gather(value, step)]),
      );
      const learningRate = b.gather(rates, step);
      const perStep = Object.fromEntries(Object.entries(factors).map(([name, value]) => [name, b.gather(value, step)]));
      // A clipped gradient's length has to be known before it is scaled.
      const scaled = update.scaledGradient === true && clipNorm === undefined;
      const { value, gradients, followed } = (parts === 1 ? passes : passesInParts)(
        now,
        chosen,
        scaled ? learningRate : null,
      );
      const clipping = clipNorm === undefined ? null : clippingFactor(b, gradients, clipNorm);
      const factor = clipping && update.scaledGradient === true ? b.mul(clipping, learningRate) : clipping;
      const next: Record<string, Value> = { ...followed };
      for (const [i, name] of params.entries()) {
        const own = Object.fromEntries(stateNames.get(name)!.map(([key]) => [key, now[`${key}/${name}`]!]));
        const gradient = factor ? b.mul(gradients[i]!, factor) : gradients[i]!;
        const updated = update.update(b, { param: now[name]!, gradient, learningRate, state: own, perStep, step });
        next[name] = updated.param;
        for (const key of Object.keys(own)) next[`${key}/${name}`] = updated.state?.[key] ?? own[key]!;
      }
      // False for NaN as well.
      const proceed = b.less(b.abs(value), stopAbove);
      return { state: next, scan: { loss: value }, proceed };
    },
  });
  return graphOf({ ...state, loss: scan.loss }, `${model.name}/training`, b.declaredInputs());
}

/** The state inputs of a training graph and their shapes, to be filled with zeros before the first step. */
export function updateState(training: Graph, params: readonly string[]): Record<string, Shape> {
  const suffixes = params.map((name) => `/${name}`);
  return Object.fromEntries(
    Object.entries(training.inputs)
      .filter(([name]) => suffixes.some((suffix) => name.endsWith(suffix)))
      .map(([name, { shape }]) => [name, shape]),
  );
}

/** min(1, most/(‖g‖ + 1e-6)) for the gradient of all parameters together. */
function clippingFactor(b: Builder, gradients: readonly Value[], most: number): Value {
  const squares = gradients.map((gradient) => {
    // A float32 sum over a million numbers loses four digits; summed row by row it keeps them.
    const rows = gradient.shape.map((_, axis) => axis).slice(1);
    const partial = rows.length === 0 ? b.mul(gradient, gradient) : b.reduceSumSquare(gradient, rows);
    return b.reduceSum(partial);
  });
  const norm = b.sqrt(squares.reduce((sum, square) => b.add(sum, square)));
  return b.min(b.div(most, b.add(norm, 1e-6)), 1);
}

function requireSensible(parts: number, clipNorm: number | undefined): void {
  if (!Number.isInteger(parts) || parts < 1)
    throw new RangeError(`trainingLoop: parts must be a whole number from 1 up, got ${parts}.`);
  if (clipNorm !== undefined && !(clipNorm > 0 && Number.isFinite(clipNorm)))
    throw new RangeError(`trainingLoop: clipNorm must be above 0, got ${clipNorm}.`);
}

const prefixed = (prefix: string, values: Values): Record<string, Value> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}/${name}`, value]));

const declare = (b: Builder, names: readonly string[], like: readonly Value[]): Record<string, Value> =>
  Object.fromEntries(names.map((name, i) => [name, b.input(name, like[i]!.shape, like[i]!.type)]));

function wholeSet(b: Builder, model: Graph, data: readonly string[]): Record<string, Value> {
  const batches = inputsOf("trainingLoop", model, data);
  return Object.fromEntries(
    data.map((name, i) => {
      const { shape, type } = batches[i]!;
      if (shape.length === 0) throw new GraphError(`trainingLoop: data input "${name}" has no batch axis.`);
      return [name, b.input(name, ["examples", ...shape.slice(1)], type)];
    }),
  );
}
