/** Training inside one Loop: hundreds of steps in one run of a session, with no JavaScript between them. */
import { Builder, graphOf } from "../builder/builder.js";
import type { Shape } from "../ir/dims.js";
import { GraphError } from "../ir/errors.js";
import type { Graph, Value } from "../ir/graph.js";
import { inputsOf, outputOf } from "./graphs.js";

/** What an update rule is given for one parameter, at one step. */
export interface UpdateInputs {
  readonly param: Value;
  /** ∂loss/∂param, times the learning rate if the rule asked for that. */
  readonly gradient: Value;
  /** Scalar. */
  readonly learningRate: Value;
  /** By the names the rule declared. */
  readonly state: Readonly<Record<string, Value>>;
  /** Steps done so far in this run, int64 scalar. */
  readonly step: Value;
}

/** An optimiser, as what it does to one parameter. */
export interface UpdateRule {
  /** State kept for each parameter, by name: "velocity" becomes the input and output "velocity/W1". */
  readonly state?: (param: Value) => Record<string, Shape>;
  /** Receive the gradient already times the learning rate. It costs nothing: the loss is scaled, once. */
  readonly scaledGradient?: boolean;
  update(b: Builder, inputs: UpdateInputs): { readonly param: Value; readonly state?: Readonly<Record<string, Value>> };
}

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
}

export interface SgdOptions {
  /** m of the heavy ball: v ← m·v + g, θ ← θ − η·v. Default 0. */
  readonly momentum?: number;
  /** Look ahead: θ ← θ − η(g + m·v). Default false. */
  readonly nesterov?: boolean;
  /** δ, added to the gradient as δ·θ. Default 0. */
  readonly weightDecay?: number;
}

/** Stochastic gradient descent. @throws RangeError for momentum outside [0, 1) or negative weight decay. */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): UpdateRule {
  if (!(momentum >= 0 && momentum < 1))
    throw new RangeError(`sgd: momentum must be at least 0 and below 1, got ${momentum}.`);
  if (!(weightDecay >= 0)) throw new RangeError(`sgd: weightDecay must be at least 0, got ${weightDecay}.`);
  if (momentum === 0) {
    return {
      scaledGradient: true,
      update: (b, { param, gradient, learningRate }) => {
        if (weightDecay === 0) return { param: b.sub(param, gradient) };
        const kept = b.sub(1, b.mul(learningRate, weightDecay));
        return { param: b.sub(b.mul(param, kept), gradient) };
      },
    };
  }
  return {
    state: (param) => ({ velocity: param.shape }),
    update: (b, { param, gradient, learningRate, state }) => {
      const slope = weightDecay === 0 ? gradient : b.add(gradient, b.mul(param, weightDecay));
      const velocity = b.add(slope, b.mul(state.velocity!, momentum));
      const direction = nesterov ? b.add(slope, b.mul(velocity, momentum)) : velocity;
      return { param: b.sub(param, b.mul(direction, learningRate)), state: { velocity } };
    },
  };
}

/**
 * The graph that trains a model on batches drawn from whole-set inputs.
 *
 * Inputs: the parameters; optimiser state ("velocity/W1"); the data, now with all examples [examples, …]; "indices"
 * int64 [steps, batch], which examples each step takes; "learningRate" [steps]. Outputs: parameters and state under the
 * same names, and "loss" [steps run], each before its step's update. The step that tripped `stopAbove` has been applied.
 *
 * @param model  Its sizes may be symbolic; the batch then is, and one session serves every batch and chunk length.
 */
export function trainingLoop(
  model: Graph,
  { loss, params, data, update = sgd(), stopAbove = 1e30 }: TrainingLoopOptions,
): Graph {
  const lossType = outputOf("trainingLoop", model, loss).type;
  const formal = inputsOf("trainingLoop", model, params);
  const b = new Builder();
  const weights = Object.fromEntries(params.map((name, i) => [name, b.input(name, formal[i]!.shape, formal[i]!.type)]));
  const stateNames = new Map(params.map((name, i) => [name, Object.entries(update.state?.(formal[i]!) ?? {})]));
  const optimizer: Record<string, Value> = {};
  for (const [i, name] of params.entries()) {
    for (const [key, shape] of stateNames.get(name)!)
      optimizer[`${key}/${name}`] = b.input(`${key}/${name}`, shape, formal[i]!.type);
  }
  const whole = wholeSet(b, model, data);
  const indices = b.input("indices", ["steps", "batch"], "int64");
  const rates = b.input("learningRate", ["steps"], lossType);

  const { state, scan } = b.loop({
    steps: b.squeeze(b.dimension("steps"), [0]),
    state: { ...weights, ...optimizer },
    body: ({ step, state: now }) => {
      const chosen = b.gather(indices, step);
      const batch = Object.fromEntries(data.map((name) => [name, b.gather(whole[name]!, chosen)]));
      const value = b.call(model, { ...now, ...batch })[loss]!;
      const learningRate = b.gather(rates, step);
      const wrt = params.map((name) => now[name]!);
      const gradients = b.gradient(value, wrt, update.scaledGradient ? { seed: learningRate } : {});
      const next: Record<string, Value> = {};
      for (const [i, name] of params.entries()) {
        const own = Object.fromEntries(stateNames.get(name)!.map(([key]) => [key, now[`${key}/${name}`]!]));
        const updated = update.update(b, { param: wrt[i]!, gradient: gradients[i]!, learningRate, state: own, step });
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
