import { samplings } from "@sedge/theory";
import { z } from "zod";
import { IngestError } from "../../errors.js";
import { parseAs, parseLenientJson } from "../lenient-json.js";

/** Rows of a Gram at most: an eigendecomposition of this size takes some 15 s, and its body 32 MiB of float64. */
export const largestGram = 2048;
/** Bytes of a body at most. */
export const largestProbeBody = largestGram * largestGram * 8;

/** What is measured with, whatever the Gram is of. Numbers may be text, as a query has them. */
const settings = {
  step: z.coerce.number().int().min(0),
  time: z.coerce.number().optional().describe("Milliseconds since the epoch; the server's clock without it"),
  kind: z
    .enum(["ntk", "gradients", "trace"])
    .default("ntk")
    .describe(
      "ntk: inner products of the rows of the Jacobian, n·C of them, example-major, for a loss other than the squared one after " +
        "multiplication with the root of the loss's Hessian. gradients: of S gradients an example with labels sampled from the " +
        "model, n·S of them. trace: one number only",
    ),
  examples: z.coerce.number().int().min(1).max(1_000_000).describe("n, of the probe, in random order"),
  outputs: z.coerce.number().int().min(1).max(100_000).default(1).describe("C"),
  samples: z.coerce.number().int().min(1).max(1024).default(1).describe("S, with kind gradients"),
  learningRate: z.coerce.number().positive().describe("η"),
  batchSize: z.coerce.number().int().min(1).describe("B"),
  population: z.coerce.number().int().min(1).optional().describe("N, of the training set. Default n"),
  momentum: z.coerce.number().min(0).lt(1).default(0).describe("m, heavy ball"),
  weightDecay: z.coerce.number().min(0).default(0).describe("δ, L2"),
  sampling: z.enum(samplings).default("epoch-shuffle").describe("How batches are drawn"),
};

/** The body as JSON. */
export const probeBodySchema = z
  .strictObject({
    ...settings,
    gram: z
      .union([z.array(z.number()), z.array(z.array(z.number()))])
      .optional()
      .describe("Plain inner products, not divided by n: row after row, or a list of rows"),
    trace: z.number().min(0).optional().describe("With kind trace: the mean over the examples of ‖J_i‖²"),
  })
  .describe("A probe of a run");

/** The query of a raw body, which holds the Gram in little-endian numbers, row after row. */
export const probeQuerySchema = z.strictObject({
  ...settings,
  dtype: z.enum(["float32", "float64"]).default("float32").describe("Of a raw body, little-endian"),
});

export interface ProbeRequest {
  readonly step: number;
  readonly time: number | undefined;
  readonly kind: "ntk" | "gradients" | "trace";
  readonly examples: number;
  readonly outputs: number;
  readonly samples: number;
  /** n·C, or n·S. */
  readonly size: number;
  /** Inner products, [size, size]; null with kind trace. */
  readonly gram: Float64Array | null;
  /** The mean over the examples of ‖J_i‖². */
  readonly trace: number;
  readonly settings: {
    readonly learningRate: number;
    readonly batchSize: number;
    readonly population: number;
    readonly momentum: number;
    readonly weightDecay: number;
    readonly sampling: (typeof samplings)[number];
  };
}

/** A body as it came. `query` is that of a raw body, null for JSON. Plain data: it goes to another thread. */
export interface ProbeBody {
  readonly bytes: Uint8Array;
  readonly query: Readonly<Record<string, string>> | null;
}

/** @throws IngestError `bad-request`, `bad-gram`, `too-large` */
export function readProbeRequest({ bytes, query }: ProbeBody): ProbeRequest {
  if (query !== null) {
    const { dtype, ...rest } = parseAs(probeQuerySchema, query);
    if (rest.kind === "trace") throw bad("kind", "a trace has no raw body: send JSON");
    return complete(rest, (size) => rawGram(bytes, size, dtype), undefined);
  }
  const body = parseLenientJson(new TextDecoder().decode(bytes));
  const { gram, ...withoutGram } = (typeof body === "object" && body !== null ? body : {}) as { gram?: unknown };
  // The Gram is looked at by hand: a schema's walk over millions of numbers takes longer than the mathematics.
  const { trace, ...rest } = parseAs(
    probeBodySchema,
    typeof body === "object" && !Array.isArray(body) ? withoutGram : body,
  );
  if (rest.kind !== "trace" && trace !== undefined) throw bad("trace", `does not go with kind ${rest.kind}`);
  if (rest.kind === "trace" && gram !== undefined) throw bad("gram", "does not go with kind trace");
  return complete(rest, (size) => listGram(gram, size), trace);
}

const bad = (path: string, message: string) => new IngestError("bad-request", `${path}: ${message}`, path);
const badGram = (message: string) => new IngestError("bad-gram", `gram: ${message}`, "gram");

type ParsedSettings = Omit<z.output<typeof probeQuerySchema>, "dtype">;

function complete(
  parsed: ParsedSettings,
  readGram: (size: number) => Float64Array,
  givenTrace: number | undefined,
): ProbeRequest {
  const { step, time, kind, examples, outputs, samples, population = examples, ...sgd } = parsed;
  if (population < examples) {
    throw bad("population", `expected at least the ${examples} examples of the probe, got ${population}`);
  }
  if (sgd.batchSize > population) {
    throw bad("batchSize", `expected at most the population, ${population}, got ${sgd.batchSize}`);
  }
  const common = { step, time, kind, examples, outputs, samples, settings: { ...sgd, population } };
  if (kind === "trace") {
    if (givenTrace === undefined) throw bad("trace", "expected a number of at least 0 with kind trace");
    return { ...common, size: 0, gram: null, trace: givenTrace };
  }
  const size = examples * (kind === "ntk" ? outputs : samples);
  if (size > largestGram) {
    const message = `gram: expected at most ${largestGram} rows, got ${size}. Take fewer examples.`;
    throw new IngestError("too-large", message, "gram");
  }
  const gram = readGram(size);
  let diagonal = 0;
  for (let i = 0; i < size; i++) diagonal += gram[i * size + i]!;
  return { ...common, size, gram, trace: diagonal / (kind === "ntk" ? examples : size) };
}

function rawGram(bytes: Uint8Array, size: number, dtype: "float32" | "float64"): Float64Array {
  const width = dtype === "float32" ? 4 : 8;
  if (bytes.length !== size * size * width) {
    throw badGram(
      `expected ${size} × ${size} × ${width} = ${size * size * width} bytes of ${dtype}, got ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const gram = new Float64Array(size * size);
  for (let i = 0; i < gram.length; i++) {
    gram[i] = finite(width === 4 ? view.getFloat32(i * 4, true) : view.getFloat64(i * 8, true), i, size);
  }
  return gram;
}

function listGram(given: unknown, size: number): Float64Array {
  if (!Array.isArray(given)) throw badGram("expected a list of numbers, or of rows");
  const expected = `expected ${size} × ${size} numbers`;
  const gram = new Float64Array(size * size);
  if (!Array.isArray(given[0])) {
    if (given.length !== gram.length) throw badGram(`${expected}, got ${given.length}`);
    for (let i = 0; i < gram.length; i++) gram[i] = finite(given[i], i, size);
    return gram;
  }
  if (given.length !== size) throw badGram(`${expected}, got ${given.length} rows`);
  for (const [i, row] of (given as unknown[]).entries()) {
    if (!Array.isArray(row) || row.length !== size) throw badGram(`${expected}, and row ${i} is not ${size} numbers`);
    for (let j = 0; j < size; j++) gram[i * size + j] = finite(row[j], i * size + j, size);
  }
  return gram;
}

function finite(value: unknown, index: number, size: number): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const place = `row ${Math.floor(index / size)}, column ${index % size}`;
  throw badGram(`expected finite numbers, got ${JSON.stringify(value) ?? "nothing"} at ${place}`);
}
