import { decodeNumber } from "../api/decode.js";
import type { RunRecord } from "../api/types.js";

/** Records of one kind, decoded; those that cannot be read are left out. */
export function recordsOf<T>(
  records: readonly RunRecord[],
  kind: string,
  decode: (data: RunRecord["data"]) => T | null,
): (T & { readonly step: number })[] {
  return records.flatMap((record) => {
    if (record.kind !== kind) return [];
    const data = decode(record.data);
    return data === null ? [] : [{ ...data, step: record.step }];
  });
}

/** The record in force at a step: the last at or before it, else the first. */
export function recordAt<T extends { readonly step: number }>(records: readonly T[], step: number): T | null {
  let found: T | null = records[0] ?? null;
  for (const record of records) if (record.step <= step) found = record;
  return found;
}

const numbers = (value: unknown): number[] | null => (Array.isArray(value) ? value.map(decodeNumber) : null);
const objects = (value: unknown) =>
  Array.isArray(value)
    ? value.filter((entry): entry is Record<string, unknown> => typeof entry === "object" && entry !== null)
    : [];
const text = (value: unknown) => (typeof value === "string" ? value : "");

/** All eigenvalues of the kernel on a probe. */
export interface ProbeSpectrum {
  /** Ascending. */
  readonly eigenvalues: readonly number[];
  /** n of the probe; NaN where the record does not say. */
  readonly examples: number;
  /** λ_max at which the deterministic edge is met; NaN where unknown. */
  readonly edge: number;
  /** Squared component of the residual along each mode; null where the record does not say. */
  readonly residuals: readonly number[] | null;
  /** With `residuals`, the loss on the probe; NaN without. */
  readonly loss: number;
}

export function probeSpectrum(data: RunRecord["data"]): ProbeSpectrum | null {
  const eigenvalues = numbers(data["eigenvalues"]);
  if (eigenvalues === null || eigenvalues.length === 0) return null;
  const residuals = numbers(data["residuals"]);
  return {
    eigenvalues,
    examples: decodeNumber(data["examples"]),
    edge: decodeNumber(data["edge"]),
    residuals: residuals?.length === eigenvalues.length ? residuals : null,
    loss: decodeNumber(data["loss"]),
  };
}

/** Density of the Hessian's eigenvalues. */
export interface HessianDensity {
  /** λ, ascending. */
  readonly grid: readonly number[];
  /** Per unit of λ; its integral is 1. */
  readonly density: readonly number[];
  /** Eigenvalues in all: the number of parameters. */
  readonly size: number;
  readonly lambdaMax: number;
  readonly edge: number;
}

export function hessianDensity(data: RunRecord["data"]): HessianDensity | null {
  const [grid, density] = [numbers(data["grid"]), numbers(data["density"])];
  if (grid === null || density === null || grid.length < 2 || grid.length !== density.length) return null;
  const number = (key: string) => decodeNumber(data[key]);
  return { grid, density, size: number("size"), lambdaMax: number("lambdaMax"), edge: number("edge") };
}

export interface LayerShare {
  readonly name: string;
  readonly kind: string;
  /** Numbers in the layer. */
  readonly size: number;
  /** Each sums to 1 over the layers; NaN where it could not be measured. */
  readonly traceShare: number;
  readonly lambdaMaxShare: number;
  readonly perronShare: number;
}

export interface Attribution {
  /** In order of computation. */
  readonly layers: readonly LayerShare[];
}

export function attribution(data: RunRecord["data"]): Attribution | null {
  const layers = objects(data["layers"]).map((layer) => ({
    name: text(layer["name"]),
    kind: text(layer["kind"]),
    size: decodeNumber(layer["size"]),
    traceShare: decodeNumber(layer["traceShare"]),
    lambdaMaxShare: decodeNumber(layer["lambdaMaxShare"]),
    perronShare: decodeNumber(layer["perronShare"]),
  }));
  return layers.length === 0 ? null : { layers };
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Row-major, channels last. */
  readonly pixels: Uint8Array;
}

export interface ResponsibleExample {
  /** In the training set. */
  readonly index: number;
  /** Perron weight; all of the probe sum to 1. */
  readonly weight: number;
  readonly label: number | null;
  readonly predicted: number | null;
  readonly image: Picture | null;
}

export interface Responsible {
  /** Examples in the probe. */
  readonly examples: number;
  readonly noiseKernel: number;
  /** How many examples share the weight: 1/Σw². */
  readonly effectiveExamples: number;
  /** Largest weight first. */
  readonly responsible: readonly ResponsibleExample[];
}

export function responsibleExamples(data: RunRecord["data"]): Responsible | null {
  const whole = (value: unknown) => (typeof value === "number" ? value : null);
  const responsible = objects(data["responsible"]).map((example) => ({
    index: decodeNumber(example["index"]),
    weight: decodeNumber(example["weight"]),
    label: whole(example["label"]),
    predicted: whole(example["predicted"]),
    image: picture(example["image"]),
  }));
  if (responsible.length === 0) return null;
  return {
    examples: decodeNumber(data["examples"]),
    noiseKernel: decodeNumber(data["noiseKernel"]),
    effectiveExamples: decodeNumber(data["effectiveExamples"]),
    responsible,
  };
}

function picture(value: unknown): Picture | null {
  if (typeof value !== "object" || value === null) return null;
  const { width, height, channels, pixels } = value as Record<string, unknown>;
  if (typeof width !== "number" || typeof height !== "number" || typeof channels !== "number") return null;
  try {
    const bytes = Uint8Array.from(atob(text(pixels)), (character) => character.charCodeAt(0));
    return bytes.length === width * height * channels ? { width, height, channels, pixels: bytes } : null;
  } catch {
    return null; // not base64
  }
}

/** What a controller decided, each time it was asked. */
export interface Decision {
  readonly action: string;
  readonly reason: string;
  readonly target: number;
  readonly kernel: number;
  readonly before: { readonly learningRate: number; readonly batchSize: number };
  readonly after: { readonly learningRate: number; readonly batchSize: number };
}

export function decision(data: RunRecord["data"]): Decision | null {
  const settings = (value: unknown) => {
    const { learningRate, batchSize } = (value ?? {}) as Record<string, unknown>;
    return { learningRate: decodeNumber(learningRate), batchSize: decodeNumber(batchSize) };
  };
  if (typeof data["action"] !== "string") return null;
  return {
    action: data["action"],
    reason: text(data["reason"]),
    target: decodeNumber(data["targetNoiseKernel"]),
    kernel: decodeNumber(data["noiseKernel"]),
    before: settings(data["before"]),
    after: settings(data["after"]),
  };
}

export interface Advice {
  /** All of it in one text, for advice without statements. */
  readonly text: string;
  readonly temper: string;
  readonly statements: readonly {
    readonly about: string;
    readonly text: string;
    readonly confidence: string;
    readonly change: { readonly learningRate: number; readonly batchSize: number };
  }[];
}

export function advice(data: RunRecord["data"]): Advice | null {
  const statements = objects(data["statements"]).map((statement) => {
    const { learningRate, batchSize } = (statement["change"] ?? {}) as Record<string, unknown>;
    return {
      about: text(statement["about"]),
      text: text(statement["text"]),
      confidence: text(statement["confidence"]),
      change: { learningRate: decodeNumber(learningRate), batchSize: decodeNumber(batchSize) },
    };
  });
  const words = text(data["text"]);
  return words === "" && statements.length === 0 ? null : { text: words, temper: text(data["temper"]), statements };
}
