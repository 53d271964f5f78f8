import { readFileSync } from "node:fs";
import { z } from "zod";
import type { ControlMemory } from "../control/run-control.js";
import type { TrainConfig } from "../config/train-config.js";
import { BadInput } from "../errors.js";
import type { MinibatchState } from "../sampling/minibatch-stream.js";
import { writeWhole } from "../write-whole.js";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./safetensors.js";

/** All that a run needs to go on, to the last bit, as if it had not stopped. */
export interface Checkpoint {
  readonly runId: string;
  readonly config: TrainConfig;
  /** Updates made. */
  readonly step: number;
  /** The last step whose record has been written; −1 before the first. */
  readonly recordedStep: number;
  readonly minibatches: MinibatchState;
  /** Sum and number of minibatch losses since that record. */
  readonly batchLoss: { readonly sum: number; readonly count: number };
  readonly seconds: { readonly training: number; readonly probes: number };
  readonly latest: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  /** Probes that failed. */
  readonly switchedOff: readonly string[];
  /** What the training loop carries, by name: parameters, and the optimiser's memory of each. */
  readonly carried: Readonly<Record<string, Float32Array>>;
  /** Of a run with a controller: what it remembers, and the carried weights that it would go back to. */
  readonly control?: ControlMemory | undefined;
  readonly snapshot?: Readonly<Record<string, Float32Array>> | undefined;
  /** What probes remember, by probe and name. */
  readonly probes: Readonly<Record<string, Readonly<Record<string, Float64Array>>>>;
}

/** Goes up whenever an older version could not go on from a newer one's file, or the reverse. */
const format = "1";

/** NaN and the infinities are no JSON; their names are, and `Number` reads both. */
const anyNumber = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"]).transform(Number)]);
const word = z.int().min(0);
const words = z.tuple([word, word, word, word]);

const minibatchesSchema = z.object({
  random: z.object({ algorithm: z.literal("sfc32"), key: words, words }),
  position: z.int().min(0),
});

const controlSchema = z.object({
  state: z.object({
    learningRate: z.number(),
    batchSize: z.int().min(1),
    missed: z.int().min(0),
    rewinds: z.int().min(0),
    arrived: z.boolean(),
    firstLoss: anyNumber,
    lastLoss: anyNumber.default(NaN),
    calm: z.int().min(0).default(0),
  }),
  loss: z.object({ sum: anyNumber, count: z.int().min(0) }),
  snapshot: z.object({ step: z.int().min(0), batchSize: z.int().min(1), minibatches: minibatchesSchema }).nullable(),
  rested: z.int().min(0).default(0),
});

const stateSchema = z.object({
  runId: z.string(),
  config: z.record(z.string(), z.unknown()),
  step: z.int().min(0),
  recordedStep: z.int().min(-1),
  minibatches: minibatchesSchema,
  control: controlSchema.optional(),
  batchLoss: z.object({ sum: anyNumber, count: z.int().min(0) }),
  seconds: z.object({ training: z.number(), probes: z.number() }),
  latest: z.record(z.string(), anyNumber),
  warnings: z.array(z.string()),
  switchedOff: z.array(z.string()),
});

/** A checkpoint that could not be written: no room, no right, no disk. The one from before, if there is one, is whole. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/**
 * Writes a checkpoint so that `path` holds either the old one or the new one, whole, whatever happens meanwhile: to a
 * file beside it, flushed to the disk, then renamed.
 *
 * @throws CheckpointError naming the path and the cause.
 */
export function saveCheckpoint(path: string, checkpoint: Checkpoint): void {
  const { carried, probes, snapshot = {}, ...state } = checkpoint;
  const tensors: Record<string, StoredTensor> = {};
  for (const [name, data] of Object.entries(snapshot)) tensors[`snapshot/${name}`] = { shape: [data.length], data };
  for (const [name, data] of Object.entries(carried)) tensors[`carried/${name}`] = { shape: [data.length], data };
  for (const [probe, memory] of Object.entries(probes)) {
    for (const [name, data] of Object.entries(memory)) {
      tensors[`probe/${probe}/${name}`] = { shape: [data.length], data };
    }
  }
  const text = JSON.stringify(state, (_, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );
  const bytes = encodeSafetensors({ tensors, metadata: { "sedge.format": format, "sedge.state": text } });
  try {
    writeWhole(path, bytes);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CheckpointError(
      `${path}: the checkpoint of step ${checkpoint.step} could not be written (${code}, ${bytes.length} bytes). What the file held before is whole.`,
      { cause: error },
    );
  }
}

/** @throws BadInput if there is no checkpoint at `path`, or it is damaged or of another format. */
export function loadCheckpoint(path: string): Checkpoint {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw new BadInput(`${path}: there is no checkpoint to resume from (${code}).`);
  }
  const { tensors, metadata } = decodeSafetensors(bytes, path);
  const state = parseState(metadata, path);
  const carried: Record<string, Float32Array> = {};
  const snapshot: Record<string, Float32Array> = {};
  const probes: Record<string, Record<string, Float64Array>> = {};
  for (const [key, { data }] of Object.entries(tensors)) {
    const [kind, owner, ...rest] = key.split("/");
    if (kind === "carried" && data instanceof Float32Array) carried[[owner, ...rest].join("/")] = data;
    if (kind === "snapshot" && data instanceof Float32Array) snapshot[[owner, ...rest].join("/")] = data;
    if (kind === "probe" && data instanceof Float64Array) (probes[owner!] ??= {})[rest.join("/")] = data;
  }
  return { ...state, config: state.config as TrainConfig, carried, probes, ...(state.control && { snapshot }) };
}

function parseState(metadata: Readonly<Record<string, string>>, path: string) {
  const found = metadata["sedge.format"];
  if (found === undefined) throw new BadInput(`${path}: a safetensors file, but not a checkpoint of Sedge.`);
  if (found !== format) throw new BadInput(`${path}: expected a checkpoint of format ${format}, got ${found}.`);
  try {
    return stateSchema.parse(JSON.parse(metadata["sedge.state"] ?? ""));
  } catch {
    throw new BadInput(`${path}: a damaged checkpoint: its state cannot be read.`);
  }
}
