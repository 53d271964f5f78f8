/**
 * One check for every op's rule. It runs a small graph in float64 and compares what the rule says with what the engine
 * computes: shapes, tangents and second derivatives with central differences, cotangents with tangents.
 */
import { Builder, graphOf } from "../builder/builder.js";
import { isStatic, show, sizeOf, type Shape } from "../ir/dims.js";
import type { Value } from "../ir/graph.js";
import { isFloat, tensor, type DataType, type Tensor } from "../ir/tensor.js";
import { withFloats } from "../passes/float64.js";
import { compile } from "../runtime/session.js";
import { testRandom } from "./random.js";

export interface CheckedInput {
  readonly shape: readonly number[];
  /** Elements are uniform in [low, high); by default in [−1, 1). */
  readonly low?: number;
  readonly high?: number;
  /** Given elements instead: labels, indices, spaced values where ties would have no derivative. */
  readonly values?: readonly number[];
  /** Default float64. Other than float64 it is not differentiated. */
  readonly type?: DataType;
  /** Declare the input with these dimensions, some of them symbolic: ["batch", 3]. */
  readonly declared?: Shape;
}

export interface OpCheck {
  /** The op, or a small composition. Builds in float64. */
  readonly build: (b: Builder, inputs: Value[]) => Value | readonly Value[];
  readonly inputs: readonly CheckedInput[];
  readonly seed?: number;
  /** False for ops whose second derivative is not continuous over a step: skips that comparison. Default true. */
  readonly twice?: boolean;
  /** Relative tolerance of comparisons with central differences. Default 1e-7. */
  readonly tolerance?: number;
  /** Which float64 inputs to differentiate; default all. */
  readonly wrt?: readonly number[];
  /** Whether the engine's float32 kernel is compared too. Default true. */
  readonly float32?: boolean;
}

/**
 * Central differences with step h err by h²/6 · f‴ + ε|f|/h. For functions and arguments of order 1, h = 1e-5 makes that
 * some 1e-10; steep functions a thousand times that. 1e-7 leaves room and still fails on any wrong sign or factor.
 */
const STEP = 1e-5;
const TOLERANCE = 1e-7;
/** Inner products of the same numbers in another order: a few hundred roundings. */
const ADJOINT = 1e-11;
/** float32 kernels against float64 ones: 6e-8 a rounding, cancellation in small sums. */
const FLOAT32 = 2e-4;

/** Throws an Error that says what disagrees, and by how much. */
export async function checkOp({
  build,
  inputs,
  seed = 1,
  twice = true,
  tolerance = TOLERANCE,
  wrt,
  float32 = true,
}: OpCheck): Promise<void> {
  const random = testRandom(seed);
  const b = new Builder();
  const declare = (prefix: string) => (input: CheckedInput, i: number) =>
    b.input(`${prefix}${i}`, input.declared ?? input.shape, input.type ?? "float64");
  const x = inputs.map(declare("x"));
  const built = build(b, x);
  const y = Array.isArray(built) ? (built as readonly Value[]) : [built as Value];
  const smooth = y.filter(({ type }) => isFloat(type));
  const moving = (wrt ?? inputs.map((_, i) => i)).filter((i) => x[i]!.type === "float64");
  const sources = moving.map((i) => x[i]!);
  const v = moving.map((i) => declare("v")(inputs[i]!, i));

  // Weights u of the outputs are constants over the outputs' real shapes, which a first run tells.
  const values = inputs.map((input) => elements(input, random));
  const feeds = Object.fromEntries(values.map((value, i) => [`x${i}`, value]));
  const results = await evaluate(Object.fromEntries(y.map((value, i) => [`y${i}`, value])), feeds);
  y.forEach((value, i) => requireInferred(value, results[`y${i}`]!, `output ${i}`));
  if (smooth.length === 0) return;
  if (float32) await compareFloat32(y, feeds, results);

  const u = smooth.map((value, i) => b.input(`u${i}`, value.shape, value.type));
  const tangents = b.jvp(smooth, sources, v).map((each, i) => each ?? b.zerosLike(smooth[i]!));
  const cotangents = b.vjp(smooth, u, sources).map((each, i) => each ?? b.zerosLike(sources[i]!));
  const curved = twice ? b.jvp(cotangents, sources, v).map((each, i) => each ?? b.zerosLike(sources[i]!)) : [];
  const named = (prefix: string, list: readonly Value[]) => list.map((value, i) => [`${prefix}${i}`, value] as const);
  const outputs = Object.fromEntries([
    ...named("smooth", smooth),
    ...named("jvp", tangents),
    ...named("vjp", cotangents),
    ...named("second", curved),
  ]);
  const session = await compile(graphOf(outputs, "checkOp", b.declaredInputs()));
  try {
    const direction = Object.fromEntries(moving.map((i) => [`v${i}`, elements({ shape: inputs[i]!.shape }, random)]));
    const weights = Object.fromEntries(
      smooth.map((value, i) => [`u${i}`, elements({ shape: results[`y${y.indexOf(value)}`]!.shape }, random)]),
    );
    const at = (step: number) => session.run({ ...feeds, ...direction, ...weights, ...moved(feeds, direction, step) });
    const [here, ahead, behind] = [await at(0), await at(STEP), await at(-STEP)];
    const difference = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, i) => centralDifference(ahead[`${prefix}${i}`]!, behind[`${prefix}${i}`]!));
    const collect = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, i) => here[`${prefix}${i}`]!.data as Float64Array);

    requireClose(
      "jvp against central differences",
      collect("jvp", smooth.length),
      difference("smooth", smooth.length),
      tolerance,
    );
    if (twice)
      requireClose(
        "jvp of vjp against central differences of vjp",
        collect("second", sources.length),
        difference("vjp", sources.length),
        tolerance,
      );
    const left = dot(
      smooth.map((_, i) => weights[`u${i}`]!.data as Float64Array),
      collect("jvp", smooth.length),
    );
    const right = dot(
      moving.map((i) => direction[`v${i}`]!.data as Float64Array),
      collect("vjp", sources.length),
    );
    if (!(Math.abs(left.sum - right.sum) <= ADJOINT * (left.size + right.size))) {
      throw new Error(`checkOp: ⟨u, J·v⟩ = ${left.sum} but ⟨Jᵀ·u, v⟩ = ${right.sum}.`);
    }
  } finally {
    await session.dispose();
  }
}

async function evaluate(
  outputs: Record<string, Value>,
  feeds: Record<string, Tensor>,
): Promise<Record<string, Tensor>> {
  const session = await compile(graphOf(outputs, "checkOp"));
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** The engine's float32 kernel computes the same function as what is used in float64. */
async function compareFloat32(
  y: readonly Value[],
  feeds: Record<string, Tensor>,
  results: Record<string, Tensor>,
): Promise<void> {
  const wide = graphOf(Object.fromEntries(y.map((value, i) => [`y${i}`, value])), "checkOp");
  const narrow = withFloats(wide, "float64", "float32");
  const rounded = Object.entries(feeds).map(
    ([name, given]) => [name, given.type === "float64" ? tensor(given.data, given.shape, "float32") : given] as const,
  );
  const computed = await evaluate(narrow.outputs, Object.fromEntries(rounded));
  const keys = Object.keys(results).filter((key) => isFloat(results[key]!.type));
  const numbers = (from: Record<string, Tensor>) =>
    keys.map((key) => Float64Array.from(from[key]!.data as Float64Array));
  requireClose("float32 against float64", numbers(computed), numbers(results), FLOAT32);
}

function requireInferred(value: Value, result: Tensor, what: string): void {
  const fits =
    value.type === result.type &&
    value.shape.length === result.shape.length &&
    value.shape.every((dim, axis) => typeof dim === "string" || dim === result.shape[axis]);
  if (!fits)
    throw new Error(
      `checkOp: ${what} was inferred as ${value.type} ${show(value.shape)}, the engine made ${result.type} ${show(result.shape)}.`,
    );
}

function elements(
  { shape, low = -1, high = 1, values, type = "float64" }: CheckedInput,
  random: ReturnType<typeof testRandom>,
): Tensor {
  if (!isStatic(shape))
    throw new TypeError("checkOp: an input's own shape has numbers only; use `declared` for symbols.");
  return tensor(values ?? random.array(sizeOf(shape) as number, low, high), shape, type);
}

function moved(feeds: Record<string, Tensor>, direction: Record<string, Tensor>, step: number): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(direction).map(([name, { data: v }]) => {
      const key = name.replace("v", "x");
      const { data, shape } = feeds[key]!;
      return [
        key,
        tensor(
          Float64Array.from(data as Float64Array, (x, i) => x + step * Number(v[i])),
          shape,
        ),
      ];
    }),
  );
}

const centralDifference = (ahead: Tensor, behind: Tensor): Float64Array =>
  Float64Array.from(ahead.data as Float64Array, (value, i) => (value - Number(behind.data[i])) / (2 * STEP));

function requireClose(
  what: string,
  actual: readonly Float64Array[],
  expected: readonly Float64Array[],
  tolerance: number,
): void {
  let error = 0;
  let size = 0;
  actual.forEach((array, k) =>
    array.forEach((value, i) => {
      error += (value - expected[k]![i]!) ** 2;
      size += value ** 2 + expected[k]![i]! ** 2;
    }),
  );
  // Where everything is of order 1 or less, errors of differences are absolute ones.
  const relative = Math.sqrt(error) / Math.max(1, Math.sqrt(size));
  if (!(relative <= tolerance))
    throw new Error(`checkOp: ${what}: relative error ${relative.toExponential(2)} exceeds ${tolerance}.`);
}

function dot(a: readonly Float64Array[], b: readonly Float64Array[]): { sum: number; size: number } {
  let sum = 0;
  let size = 0;
  a.forEach((array, k) =>
    array.forEach((value, i) => {
      sum += value * b[k]![i]!;
      size += Math.abs(value * b[k]![i]!);
    }),
  );
  return { sum, size };
}
