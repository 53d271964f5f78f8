/** Compiled graphs: data in, data out. */
import { loadEngine } from "#engine";
import type { InferenceSession, Tensor as EngineTensor } from "onnxruntime-common";
import { toFloat64 } from "../passes/float64.js";
import { optimize } from "../passes/optimize.js";
import { show, type Shape } from "../ir/dims.js";
import type { Graph, Typed } from "../ir/graph.js";
import { convert, tensor, type DataType, type Tensor, type TypedArray } from "../ir/tensor.js";
import { exportOnnx, neededInputs, outputName } from "../onnx/encode.js";
import { noAdapter, type Device, type Engine } from "./engine.js";

export interface CompileOptions {
  /** Default "cpu": native in Node, WebAssembly in the browser. */
  readonly device?: Device;
  /** Threads for one op. Default 1, best for small and medium steps; more pay off for large batches. */
  readonly threads?: number;
  /** "float64" converts the graph: what was float32, inputs and outputs included, becomes float64. Default as built. */
  readonly precision?: "float32" | "float64";
}

/** What `run` takes for an input: an array takes its shape from the graph. */
export type InputData = Tensor | TypedArray | readonly number[] | number;

export interface RunOptions {
  /** Fetch only these outputs. Each is copied out of the engine, so what is not fetched is not paid for. */
  readonly outputs?: readonly string[];
  /**
   * Memory for outputs, by name: arrays of their type and length, which are overwritten and returned. Otherwise every run's
   * results are in new memory, and touching a megabyte for the first time can take as long as computing it.
   */
  readonly into?: Readonly<Record<string, TypedArray>>;
}

export interface Signature {
  readonly inputs: Readonly<Record<string, Typed>>;
  readonly outputs: Readonly<Record<string, Typed>>;
}

/**
 * Prepares a graph to run. Sessions of equal graphs and options share one engine session, which is released when the
 * last of them is disposed.
 *
 * @throws RangeError for a device that is unknown or that this machine has not, a precision that is unknown, or a number
 *   of threads below 1.
 */
export async function compile(
  graph: Graph,
  { device = "cpu", threads = 1, precision = "float32" }: CompileOptions = {},
): Promise<Session> {
  requireOneOf("device", device, ["cpu", "webgpu"]);
  requireOneOf("precision", precision, ["float32", "float64"]);
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError(`compile: threads must be a whole number from 1 up, got ${threads}.`);
  const typed = precision === "float64" ? toFloat64(graph) : graph;
  const bytes = exportOnnx(optimize(typed));
  const engine = await loadEngine(device);
  const key = await hashOf(bytes, `${device}/${threads}`);
  let shared = sharedSessions.get(key);
  if (shared === undefined) {
    const session = engine.InferenceSession.create(bytes, engine.sessionOptions(device, threads));
    shared = { session, users: 0 };
    sharedSessions.set(key, shared);
  }
  shared.users++;
  try {
    return new Session(typed, engine, await shared.session, () => release(key));
  } catch (error) {
    await release(key).catch(() => undefined); // a session that was never made has nothing to release
    if (device === "webgpu" && /adapter/i.test(String(error))) throw noAdapter(error);
    throw error;
  }
}

function requireOneOf(option: string, given: string, allowed: readonly string[]): void {
  if (allowed.includes(given)) return;
  throw new RangeError(
    `compile: ${option} must be ${allowed.map((each) => `"${each}"`).join(" or ")}, got "${given}".`,
  );
}

/** How many engine sessions exist in this process. */
export const openSessions = (): number => sharedSessions.size;

const sharedSessions = new Map<string, { session: Promise<InferenceSession>; users: number }>();

async function release(key: string): Promise<void> {
  const shared = sharedSessions.get(key);
  if (shared === undefined || --shared.users > 0) return;
  sharedSessions.delete(key);
  await (await shared.session).release();
}

async function hashOf(bytes: Uint8Array, options: string): Promise<string> {
  // A copy: the digest wants memory that is surely not shared, which the encoder's type does not promise.
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  return options + Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A compiled graph. */
export class Session {
  /** Types and shapes by name; strings are sizes that are free. */
  readonly signature: Signature;
  private disposed = false;

  /** Use `compile`. */
  constructor(
    private readonly graph: Graph,
    private readonly engine: Engine,
    private readonly session: InferenceSession,
    private readonly onDispose: () => Promise<void>,
  ) {
    const typed = (values: Readonly<Record<string, Typed>>) =>
      Object.fromEntries(Object.entries(values).map(([name, { type, shape }]) => [name, { type, shape }]));
    this.signature = { inputs: typed(neededInputs(graph)), outputs: typed(graph.outputs) };
  }

  /**
   * Computes the outputs.
   *
   * @param inputs  By name. Names the graph does not need are ignored, so one object can serve several graphs.
   * @throws RangeError  for a missing input, or one of the wrong length, type or shape; for memory in `into` that does not
   *   fit its output, or is for none that is fetched.
   */
  async run(
    inputs: Readonly<Record<string, InputData>>,
    { outputs, into = {} }: RunOptions = {},
  ): Promise<Record<string, Tensor>> {
    if (this.disposed) throw new Error(`run: the session of "${this.graph.name}" is disposed.`);
    const feeds: Record<string, EngineTensor> = {};
    for (const [name, typed] of Object.entries(this.signature.inputs)) {
      const { type, data, shape } = asTensor(name, inputs[name], typed);
      feeds[name] = new this.engine.Tensor(type, data as Float32Array, shape);
    }
    const names = outputs ?? Object.keys(this.signature.outputs);
    for (const name of Object.keys(into)) {
      if (!names.includes(name))
        throw new RangeError(`run: into: no output "${name}" is fetched, only ${names.join(", ")}.`);
    }
    const fetched = await this.session.run(
      feeds,
      names.map((name) => outputName(this.graph, name)),
    );
    const results = names.map((name): [string, Tensor] => {
      const { type, dims, data } = fetched[outputName(this.graph, name)]!;
      const made = { type: type as DataType, shape: dims, data: data as TypedArray };
      return [name, into[name] === undefined ? made : moved(name, made, into[name])];
    });
    const held = new Set(results.map(([, { data }]) => data.buffer));
    for (const { data } of Object.values(fetched)) {
      const memory = (data as TypedArray).buffer as ArrayBuffer;
      if (!held.has(memory)) this.engine.free(memory);
    }
    return Object.fromEntries(results);
  }

  /** Frees what the session holds. Further calls do nothing. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    await this.onDispose();
  }
}

/** The result in another array. */
function moved(name: string, { type, shape, data }: Tensor, target: TypedArray): Tensor {
  if (target.constructor !== data.constructor || target.length !== data.length) {
    throw new RangeError(
      `run: into: output "${name}", ${type} ${show(shape)}, fills ${data.length} elements of a ${data.constructor.name}; ` +
        `got ${target.length} of a ${target.constructor.name}.`,
    );
  }
  (target as Float32Array).set(data as Float32Array); // both are of one class
  return { type, shape, data: target };
}

function asTensor(name: string, given: InputData | undefined, { type, shape }: Typed): Tensor {
  if (given === undefined) throw new RangeError(`run: input "${name}" (${type} ${show(shape)}) is missing.`);
  if (typeof given === "number") return asTensor(name, [given], { type, shape });
  if ("shape" in given) {
    const fits =
      given.shape.length === shape.length &&
      given.shape.every((dim, axis) => typeof shape[axis] === "string" || dim === shape[axis]);
    if (given.type !== type || !fits) {
      throw new RangeError(
        `run: input "${name}" must be ${type} ${show(shape)}, got ${given.type} ${show(given.shape)}.`,
      );
    }
    return given;
  }
  return tensor(convert(given, type), shapeFor(name, given.length, shape), type);
}

/** The shape of an array of this length, solving for at most one free size. */
function shapeFor(name: string, length: number, shape: Shape): number[] {
  const free = shape.filter((dim) => typeof dim === "string");
  const known = shape.reduce<number>((product, dim) => (typeof dim === "number" ? product * dim : product), 1);
  if (free.length > 1)
    throw new RangeError(
      `run: input "${name}" of shape ${show(shape)} has several free sizes; pass tensor(data, shape).`,
    );
  const size = free.length === 1 && known > 0 ? length / known : 1;
  if (!Number.isInteger(size) || known * size !== length) {
    throw new RangeError(`run: input "${name}" of shape ${show(shape)} cannot be filled by ${length} elements.`);
  }
  return shape.map((dim) => (typeof dim === "number" ? dim : size));
}
