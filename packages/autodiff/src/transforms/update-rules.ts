/** Optimisers, as what they do to one parameter: what `trainingLoop` adds to a gradient. */
import type { Builder } from "../builder/builder.js";
import type { Shape } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";

/** What an update rule is given for one parameter, at one step. */
export interface UpdateInputs {
  readonly param: Value;
  /** ∂loss/∂param, times the learning rate if the rule asked for that. */
  readonly gradient: Value;
  /** Scalar. */
  readonly learningRate: Value;
  /** By the names the rule declared. */
  readonly state: Readonly<Record<string, Value>>;
  /** Scalars by the names of the rule's `perStep`. */
  readonly perStep: Readonly<Record<string, Value>>;
  /** Steps done so far in this call, int64 scalar. */
  readonly step: Value;
}

/** An optimiser, as what it does to one parameter. */
export interface UpdateRule {
  /** State kept for each parameter, by name: "velocity" becomes the input and output "velocity/W1". Starts at zero. */
  readonly state?: (param: Value) => Record<string, Shape>;
  /**
   * Factors that depend on nothing but the number of updates made before, t from 0, since the state was zero. They become
   * inputs [steps], like the learning rate, because float32 cannot raise 0.999 to the thousandth exactly enough.
   */
  readonly perStep?: Readonly<Record<string, (t: number) => number>>;
  /** Receive the gradient already times the learning rate. It costs nothing: the loss is scaled, once. */
  readonly scaledGradient?: boolean;
  update(b: Builder, inputs: UpdateInputs): { readonly param: Value; readonly state?: Readonly<Record<string, Value>> };
}

export interface SgdOptions {
  /** m of the heavy ball: v ← m·v + g, θ ← θ − η·v. Default 0. */
  readonly momentum?: number;
  /** Look ahead: θ ← θ − η(g + m·v). Default false. */
  readonly nesterov?: boolean;
  /** δ, added to the gradient as δ·θ. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent, as `torch.optim.SGD` with dampening 0. State: `velocity`, with momentum.
 *
 * @throws RangeError for momentum outside [0, 1) or negative weight decay.
 */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): UpdateRule {
  requireShare("sgd", { momentum });
  requirePositive("sgd", { weightDecay });
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
      const slope = withDecay(b, gradient, param, weightDecay);
      const velocity = b.add(slope, b.mul(state.velocity!, momentum));
      const direction = nesterov ? b.add(slope, b.mul(velocity, momentum)) : velocity;
      return { param: b.sub(param, b.mul(direction, learningRate)), state: { velocity } };
    },
  };
}

export interface AdamOptions {
  /** β₁ of the mean gradient. Default 0.9. */
  readonly beta1?: number;
  /** β₂ of the mean squared gradient. Default 0.999. */
  readonly beta2?: number;
  /** ε, outside the root. Default 1e-8. */
  readonly epsilon?: number;
  /** δ. Default 0. */
  readonly weightDecay?: number;
  /**
   * Whether the decay acts on the weights, θ ← (1 − ηδ)θ before the update (AdamW, Loshchilov and Hutter,
   * arXiv:1711.05101), and not as δ·θ in the gradient. Default false.
   */
  readonly decoupled?: boolean;
}

/**
 * Adam (Kingma and Ba, arXiv:1412.6980), as `torch.optim.Adam`, or `AdamW` with `decoupled`:
 *
 *     m ← m + (1 − β₁)(g − m),   v ← β₂v + (1 − β₂)g²
 *     θ ← θ − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε),   t = 1 at the first update
 *
 * State: `firstMoment` m and `secondMoment` v.
 *
 * @throws RangeError for a β outside [0, 1), or a negative ε or weight decay.
 */
export function adam({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0,
  decoupled = false,
}: AdamOptions = {}): UpdateRule {
  requireShare("adam", { beta1, beta2 });
  requirePositive("adam", { epsilon, weightDecay });
  return {
    state: (param) => ({ firstMoment: param.shape, secondMoment: param.shape }),
    perStep: {
      firstMomentScale: (t) => 1 / (1 - beta1 ** (t + 1)),
      rootScale: (t) => 1 / Math.sqrt(1 - beta2 ** (t + 1)),
    },
    update: (b, { param, gradient, learningRate, state, perStep }) => {
      const slope = decoupled ? gradient : withDecay(b, gradient, param, weightDecay);
      const kept = decoupled && weightDecay !== 0 ? b.mul(param, b.sub(1, b.mul(learningRate, weightDecay))) : param;
      const firstMoment = mixed(b, state.firstMoment!, slope, beta1);
      const secondMoment = b.add(b.mul(state.secondMoment!, beta2), b.mul(b.mul(slope, slope), 1 - beta2));
      const root = b.add(b.mul(b.sqrt(secondMoment), perStep.rootScale!), epsilon);
      const size = b.mul(learningRate, perStep.firstMomentScale!);
      return {
        param: b.sub(kept, b.mul(b.div(firstMoment, root), size)),
        state: { firstMoment, secondMoment },
      };
    },
  };
}

export interface RmsPropOptions {
  /** α of the mean squared gradient. Default 0.99. */
  readonly alpha?: number;
  /** ε, outside the root. Default 1e-8. */
  readonly epsilon?: number;
  /** m of a heavy ball on the preconditioned gradient. Default 0. */
  readonly momentum?: number;
  /** δ, added to the gradient as δ·θ. Default 0. */
  readonly weightDecay?: number;
}

/**
 * RMSProp (Tieleman and Hinton 2012), as `torch.optim.RMSprop`, not centred:
 *
 *     s ← αs + (1 − α)g²,   v ← m·v + g/(√s + ε),   θ ← θ − η·v
 *
 * State: `squareAverage` s, and with momentum `velocity` v.
 *
 * @throws RangeError for α or momentum outside [0, 1), or a negative ε or weight decay.
 */
export function rmsprop({
  alpha = 0.99,
  epsilon = 1e-8,
  momentum = 0,
  weightDecay = 0,
}: RmsPropOptions = {}): UpdateRule {
  requireShare("rmsprop", { alpha, momentum });
  requirePositive("rmsprop", { epsilon, weightDecay });
  return {
    state: (param) => ({ squareAverage: param.shape, ...(momentum !== 0 && { velocity: param.shape }) }),
    update: (b, { param, gradient, learningRate, state }) => {
      const slope = withDecay(b, gradient, param, weightDecay);
      const squareAverage = b.add(b.mul(state.squareAverage!, alpha), b.mul(b.mul(slope, slope), 1 - alpha));
      const scaled = b.div(slope, b.add(b.sqrt(squareAverage), epsilon));
      const velocity = momentum === 0 ? scaled : b.add(b.mul(state.velocity!, momentum), scaled);
      return {
        param: b.sub(param, b.mul(velocity, learningRate)),
        state: { squareAverage, ...(momentum !== 0 && { velocity }) },
      };
    },
  };
}

const withDecay = (b: Builder, gradient: Value, param: Value, weightDecay: number): Value =>
  weightDecay === 0 ? gradient : b.add(gradient, b.mul(param, weightDecay));

/** old + (1 − keep)(now − old). */
const mixed = (b: Builder, old: Value, now: Value, keep: number): Value => b.add(old, b.mul(b.sub(now, old), 1 - keep));

function requireShare(rule: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value >= 0 && value < 1))
      throw new RangeError(`${rule}: ${name} must be at least 0 and below 1, got ${value}.`);
  }
}

function requirePositive(rule: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value >= 0 && Number.isFinite(value)))
      throw new RangeError(`${rule}: ${name} must be at least 0, got ${value}.`);
  }
}
