/** Loops: a body computed again and again, inside the engine. */
import { sameShape, show, type Dim } from "../ir/dims.js";
import { ShapeError } from "../ir/errors.js";
import { freshId, type Typed, type Value } from "../ir/graph.js";
import type { Builder } from "./builder.js";

export interface LoopParts<S extends Record<string, Value>, R extends Record<string, Value>> {
  /** How often to run the body, int64 scalar. */
  readonly steps: Value | number;
  /** The state before the first step. Types and shapes stay the same. */
  readonly state: S;
  /**
   * One step. May use any value from outside; what depends on neither `step` (int64 scalar) nor `state` is computed
   * once, before the loop.
   */
  readonly body: (parts: { step: Value; state: S }) => LoopStep<S, R>;
}

export interface LoopStep<S, R> {
  readonly state: { readonly [K in keyof S]: Value };
  /** Values to collect, one for each step. */
  readonly scan?: R;
  /** Whether to go on after this step, bool scalar. */
  readonly proceed?: Value;
}

export interface LoopResult<S, R> {
  /** The state after the last step. */
  readonly state: { readonly [K in keyof S]: Value };
  /** Collected values with a leading axis of the steps run. */
  readonly scan: { readonly [K in keyof R]: Value };
}

export function buildLoop<S extends Record<string, Value>, R extends Record<string, Value>>(
  g: Builder,
  { steps, state, body }: LoopParts<S, R>,
): LoopResult<S, R> {
  const names = Object.keys(state);
  const step = g.placeholder("step", { type: "int64", shape: [] });
  const proceedIn = g.placeholder("proceed", { type: "bool", shape: [] });
  const inside = Object.fromEntries(names.map((name) => [name, g.placeholder(name, typedOf(state[name]!))]));
  const result = body({ step, state: inside as S });
  for (const name of names) checkState(name, state[name]!, result.state[name]);

  const scanned: Record<string, Value> = result.scan ?? {};
  const proceed = result.proceed ?? proceedIn;
  const stepCount = typeof steps === "number" ? g.constant(steps, { type: "int64" }) : steps;
  // Without an early stop the number of steps run is the number asked for.
  const stepsRun: Dim = result.proceed ? `stepsRun${freshId()}` : (stepCount.content?.[0] ?? `steps${stepCount.id}`);
  const { outputs } = g.makeNode(
    {
      op: "Loop",
      inputs: [stepCount, null, ...names.map((name) => state[name]!)],
      attributes: {},
      body: {
        inputs: [step, proceedIn, ...names.map((name) => inside[name]!)],
        outputs: [proceed, ...names.map((name) => result.state[name]!), ...Object.values(scanned)],
      },
    },
    [
      ...names.map((name) => typedOf(state[name]!)),
      ...Object.values(scanned).map(({ type, shape }) => ({ type, shape: [stepsRun, ...shape] })),
    ],
  );
  const named = (keys: string[], from: number) => Object.fromEntries(keys.map((key, i) => [key, outputs[from + i]!]));
  return { state: named(names, 0), scan: named(Object.keys(scanned), names.length) } as unknown as LoopResult<S, R>;
}

const typedOf = ({ type, shape }: Value): Typed => ({ type, shape });

function checkState(name: string, before: Value, after: Value | undefined): void {
  if (after === undefined) throw new ShapeError(`loop: the body returns no state "${name}".`);
  if (before.type !== after.type || !sameShape(before.shape, after.shape)) {
    throw new ShapeError(
      `loop: state "${name}" must stay ${before.type} ${show(before.shape)}, the body makes it ${after.type} ${show(after.shape)}.`,
    );
  }
}
