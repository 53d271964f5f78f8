import { readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import { BadInput, describeIssues, parseNpy } from "@sedge/lab";
import { samplings } from "@sedge/theory";
import { z } from "zod";

const numbers = () => z.array(z.number());

/** What `sedge theory --json` writes. A file may hold it beside the input: then it is what somebody else computed. */
const outputs = {
  lambdaMax: z.unknown(),
  trace: z.unknown(),
  spectrum: z.unknown(),
  deterministicRatio: z.unknown(),
  binding: z.unknown(),
  stable: z.unknown(),
  kExact: z.unknown(),
  kDiagonal: z.unknown(),
  kHighDim: z.unknown(),
  kTrace: z.unknown(),
  spectralRadius: z.unknown(),
  spectralRadiusAtCritical: z.unknown(),
  criticalLearningRateExact: z.unknown(),
  criticalLearningRateDiagonal: z.unknown(),
  criticalLearningRateDeterministic: z.unknown(),
  criticalBatchSizeExact: z.unknown(),
  expectedLoss: z.unknown(),
} as const;

const settings = {
  learningRate: z.number().positive().describe("η"),
  batchSize: z.int().positive().describe("B"),
  momentum: z.number().min(0).lt(1).default(0).describe("m, heavy ball"),
  nesterov: z.boolean().default(false).describe("the momentum is Nesterov's"),
  weightDecay: z.number().min(0).default(0).describe("δ"),
  sampling: z.enum(samplings).default("without-replacement"),
  population: z.int().positive().optional().describe("N of the run, where the system is a probe of it"),
};

/** One linear SGD problem: the format of linear-theory.json. */
export const theoryCaseSchema = z
  .strictObject({
    name: z.string().optional(),
    examples: z.int().positive().describe("N"),
    outputs: z.int().positive().default(1).describe("C, outputs of each example"),
    params: z.int().positive().optional().describe("P"),
    jacobian: numbers().optional().describe("J, row-major [N·C, P]"),
    ntk: numbers().optional().describe("Θ = J Jᵀ/N, row-major [N·C, N·C]"),
    residual: numbers().optional().describe("z = f − y at the start, [N·C]"),
    ...settings,
    ...Object.fromEntries(Object.entries(outputs).map(([key, schema]) => [key, schema.optional()])),
  })
  .superRefine((given, context) => {
    const { examples, outputs: count, params, jacobian, ntk, residual } = given;
    const size = examples * count;
    const expectLength = (key: string, array: readonly number[] | undefined, length: number, meaning: string) => {
      if (array === undefined || array.length === length) return;
      const message = `expected ${meaning} = ${length} numbers, got ${array.length}`;
      context.addIssue({ code: "custom", path: [key], message });
    };
    if ((jacobian === undefined) === (ntk === undefined)) {
      const got = jacobian === undefined ? "neither" : "both";
      context.addIssue({ code: "custom", path: ["jacobian"], message: `expected either jacobian or ntk, got ${got}` });
    }
    expectLength("ntk", ntk, size * size, `(examples × outputs)² = (${examples} × ${count})²`);
    expectLength("residual", residual, size, `examples × outputs = ${examples} × ${count}`);
    if (params !== undefined) {
      const meaning = `examples × outputs × params = ${examples} × ${count} × ${params}`;
      expectLength("jacobian", jacobian, size * params, meaning);
    }
  });

export interface TheoryCase {
  readonly name?: string | undefined;
  readonly examples: number;
  readonly outputs: number;
  readonly jacobian?: ArrayLike<number> | undefined;
  readonly ntk?: ArrayLike<number> | undefined;
  readonly residual?: ArrayLike<number> | undefined;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly sampling: (typeof samplings)[number];
  readonly population?: number | undefined;
}

/** Settings given on the command line, which go before those in the file. */
export type TheorySettings = Readonly<Partial<Record<keyof typeof settings | "outputs", unknown>>>;

/**
 * The cases of a theory file: a JSON object, or one with `cases`, or the NTK alone as `.npy`.
 *
 * @throws BadInput naming the file, the case, the key, what is allowed and what was given.
 */
export function readTheoryFile(path: string, given: TheorySettings = {}): TheoryCase[] {
  const bytes = readBytes(path);
  if (extname(path).toLowerCase() === ".npy") return [npyCase(bytes, path, given)];
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new BadInput(`${path}: not JSON: ${(error as Error).message}.`);
  }
  if (!isRecord(content)) throw new BadInput(`${path}: expected an object, or an object with "cases".`);
  if (!("cases" in content)) return [parseCase({ ...content, ...given }, path)];
  const { cases, ...others } = content;
  const extra = Object.keys(others).filter((key) => key !== "about");
  if (extra.length > 0)
    throw new BadInput(`${path}: ${extra[0]}: unknown key; beside "cases" only "about" is allowed.`);
  if (!Array.isArray(cases) || cases.length === 0)
    throw new BadInput(`${path}: cases: expected an array with an entry.`);
  return cases.map((entry: unknown, i) => {
    if (!isRecord(entry)) throw new BadInput(`${path}: cases.${i}: expected an object.`);
    return parseCase({ ...entry, ...given }, `${path}: cases.${i}`);
  });
}

function npyCase(bytes: Uint8Array, path: string, given: TheorySettings): TheoryCase {
  const { shape, values } = parseNpy(bytes, path);
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows !== columns || rows === 0) {
    throw new BadInput(`${path}: expected a square matrix, the NTK, got an array of shape (${shape.join(", ")}).`);
  }
  const count = (given.outputs ?? 1) as number;
  if (!Number.isInteger(count) || count < 1 || rows! % count !== 0) {
    throw new BadInput(`${path}: --outputs: expected a whole number that divides the ${rows} rows, got ${count}.`);
  }
  const checked = parseCase({ name: basename(path), examples: rows! / count, ...given, ntk: Array.from(values) }, path);
  return { ...checked, ntk: values };
}

/** Faults of a long array could fill pages; the first few tell what is wrong. */
const mostFaults = 4;

function parseCase(value: unknown, source: string): TheoryCase {
  const parsed = theoryCaseSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const faults = describeIssues(parsed.error, theoryCaseSchema);
  const more = faults.length > mostFaults ? `; and ${faults.length - mostFaults} more` : "";
  throw new BadInput(`${source}: ${faults.slice(0, mostFaults).join("; ")}${more}.`);
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new BadInput(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
