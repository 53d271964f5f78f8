/** Parameters without a layer rule: their gradients example by example, direction by direction, in the engine. */
import type { Builder, Value } from "@sedge/autodiff";
import { sizeOf } from "../../models/model.js";
import type { TappedModel } from "./tapped-model.js";

export interface GenericInputs {
  /** Data inputs of this side, [n, …]. */
  readonly data: Readonly<Record<string, Value>>;
  readonly params: Readonly<Record<string, Value>>;
  /** [S, n, …]. */
  readonly directions: Value;
  /** n. */
  readonly examples: Value["shape"][number];
}

export interface GenericResult {
  /** By parameter, [S, n, P]. */
  readonly jacobians: ReadonlyMap<string, Value>;
  /** [n, …]. */
  readonly output: Value;
}

/**
 * The Jacobians of the parameters for which there is no rule, whatever the graph does with them. In a loop over examples the
 * model runs with that example alone, and is pulled back once for each direction. Where the model was made for a fixed
 * number of examples, the one is repeated to fill it, and only the first copy is pulled back.
 */
export function genericJacobians(
  b: Builder,
  { data: names, batch, generic, graph }: TappedModel,
  { data, params, directions, examples }: GenericInputs,
): GenericResult {
  const copies = batch === null ? (graph.outputs["output"]!.shape[0] as number) : 1;
  const steps = b.squeeze(b.dimension(examples), [0]);
  const count = directions.shape[0] as number;
  const { scan } = b.loop({
    steps,
    state: {},
    body: ({ step: i }) => {
      const alone = names.map((name) => {
        const example = b.unsqueeze(b.gather(data[name]!, i, 0), [0]);
        return [name, b.expandTo(example, [copies, ...example.shape.slice(1)])] as const;
      });
      const output = b.call(
        { ...graph, outputs: { output: graph.outputs["output"]! } },
        { ...params, ...Object.fromEntries(alone) },
      )["output"]!;
      const wrt = generic.map(({ name }) => params[name]!);
      const own = b.gather(directions, i, 1); // [S, …]
      const { scan: rows } = b.loop({
        steps: count,
        state: {},
        body: ({ step: s }) => {
          const direction = b.unsqueeze(b.gather(own, s, 0), [0]);
          const padded = copies === 1 ? direction : firstOf(b, direction, copies);
          const gradients = b.vjp([output], [padded], wrt);
          return {
            state: {},
            scan: Object.fromEntries(
              generic.map(({ shape }, k) => [
                `g${k}`,
                b.reshape(gradients[k] ?? b.zerosLike(wrt[k]!), [sizeOf(shape)]),
              ]),
            ),
          };
        },
      });
      return {
        state: {},
        scan: { ...rows, output: copies === 1 ? b.squeeze(output, [0]) : b.squeeze(b.slice(output, 0, 0, 1), [0]) },
      };
    },
  });
  const values = scan as Readonly<Record<string, Value>>;
  const shaped = generic.map(({ name, shape }, k) => {
    const rows = b.reshape(values[`g${k}`]!, [examples, count, sizeOf(shape)]);
    return [name, b.transpose(rows, [1, 0, 2])] as const;
  });
  const output = values["output"]!;
  return { jacobians: new Map(shaped), output: b.reshape(output, [examples, ...output.shape.slice(1)]) };
}

/** One row, and zeros up to `count` rows. */
function firstOf(b: Builder, row: Value, count: number): Value {
  const pads = new Array<number>(2 * row.shape.length).fill(0);
  pads[row.shape.length] = count - 1;
  return b.node("Pad", [row, b.integers(pads), b.constant(0, { type: row.type })]);
}
