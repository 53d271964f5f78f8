/** Parameters without a layer rule: their gradients example by example, direction by direction, in the engine. */
import type { Builder, Value } from "@sedge/autodiff";
import { sizeOf } from "../../models/model.js";
import type { TappedModel } from "./tapped-model.js";

export interface GenericInputs {
  /** Data inputs of this side, [n, …]. */
  readonly data: Readonly<Record<string, Value>>;
  readonly params: Readonly<Record<string, Value>>;
  /** n. */
  readonly examples: Value["shape"][number];
}

/**
 * The Jacobians of the parameters for which there is no rule, [S, n, P] by parameter, whatever the graph does with them. In
 * a loop over examples the model runs with that example alone, and is pulled back once for each direction. Where the model
 * was made for a fixed number of examples, the one is repeated to fill it, and only the first copy is pulled back.
 *
 * @param directions  [S, n, …].
 */
export function genericJacobians(
  b: Builder,
  tapped: TappedModel,
  inputs: GenericInputs,
  directions: Value,
): ReadonlyMap<string, Value> {
  const { generic } = tapped;
  const { params, examples } = inputs;
  const count = directions.shape[0] as number;
  const wrt = generic.map(({ name }) => params[name]!);
  const { scan } = b.loop({
    steps: b.squeeze(b.dimension(examples), [0]),
    state: {},
    body: ({ step: i }) => {
      const output = outputAlone(b, tapped, inputs, i);
      const own = b.gather(directions, i, 1); // [S, …]
      const { scan: rows } = b.loop({
        steps: count,
        state: {},
        body: ({ step: s }) => {
          const direction = firstOf(b, b.unsqueeze(b.gather(own, s, 0), [0]), output.shape[0] as number);
          const gradients = b.vjp([output], [direction], wrt);
          const flat = generic.map(({ shape }, k) => b.reshape(gradients[k] ?? b.zerosLike(wrt[k]!), [sizeOf(shape)]));
          return { state: {}, scan: Object.fromEntries(flat.map((value, k) => [`g${k}`, value])) };
        },
      });
      return { state: {}, scan: rows };
    },
  });
  const values = scan as Readonly<Record<string, Value>>;
  return new Map(
    generic.map(({ name, shape }, k) => {
      const rows = b.reshape(values[`g${k}`]!, [examples, count, sizeOf(shape)]);
      return [name, b.transpose(rows, [1, 0, 2])] as const;
    }),
  );
}

/** f of every example, [n, …], of a model made for a fixed number of examples. */
export function genericOutput(b: Builder, tapped: TappedModel, inputs: GenericInputs): Value {
  const { scan } = b.loop({
    steps: b.squeeze(b.dimension(inputs.examples), [0]),
    state: {},
    body: ({ step }) => ({
      state: {},
      scan: { output: b.squeeze(b.slice(outputAlone(b, tapped, inputs, step), 0, 0, 1), [0]) },
    }),
  });
  return b.reshape(scan.output, [inputs.examples, ...scan.output.shape.slice(1)]);
}

/** The output for one example alone, [1, …], or for as many copies of it as the model was made for. */
function outputAlone(
  b: Builder,
  { graph, data: names, batch }: TappedModel,
  { data, params }: GenericInputs,
  i: Value,
): Value {
  const output = graph.outputs["output"]!;
  const copies = batch === null ? (output.shape[0] as number) : 1;
  const alone = names.map((name) => {
    const example = b.unsqueeze(b.gather(data[name]!, i, 0), [0]);
    return [name, b.expandTo(example, [copies, ...example.shape.slice(1)])] as const;
  });
  return b.call({ ...graph, outputs: { output } }, { ...params, ...Object.fromEntries(alone) })["output"]!;
}

/** One row, and zeros up to `count` rows. */
function firstOf(b: Builder, row: Value, count: number): Value {
  if (count === 1) return row;
  const pads = new Array<number>(2 * row.shape.length).fill(0);
  pads[row.shape.length] = count - 1;
  return b.node("Pad", [row, b.integers(pads), b.constant(0, { type: row.type })]);
}
