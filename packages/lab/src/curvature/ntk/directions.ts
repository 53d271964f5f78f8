import type { Builder, Value } from "@sedge/autodiff";

/** `values` of every direction: [S, …] each. One direction needs no loop. What differs in shape only is collected once. */
export function overDirections(
  b: Builder,
  directions: Value,
  values: (direction: Value) => readonly Value[],
): readonly Value[] {
  const count = directions.shape[0] as number;
  const reshaped = (collected: Value, { shape }: Value): Value => b.reshape(collected, [count, ...shape]);
  if (count === 1) return values(b.squeeze(directions, [0])).map((value) => reshaped(unshaped(value), value));
  let made: readonly Value[] = [];
  const { scan } = b.loop({
    steps: count,
    state: {},
    body: ({ step }) => {
      made = values(b.gather(directions, step, 0));
      return { state: {}, scan: Object.fromEntries(made.map(unshaped).map((value) => [`v${value.id}`, value])) };
    },
  });
  const collected = scan as Readonly<Record<string, Value>>;
  return made.map((value) => reshaped(collected[`v${unshaped(value).id}`]!, value));
}

/** What a value is a reshape of. */
function unshaped(value: Value): Value {
  if (value.origin.kind !== "node") return value;
  const { op, inputs } = value.origin.node;
  return ["Reshape", "Unsqueeze", "Squeeze"].includes(op) ? unshaped(inputs[0]!) : value;
}
