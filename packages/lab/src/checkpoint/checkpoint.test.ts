import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@sedge/linalg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseTrainConfig } from "../config/train-config.js";
import { BadInput } from "../errors.js";
import { loadCheckpoint, saveCheckpoint, type Checkpoint } from "./checkpoint.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-checkpoint-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const checkpoint: Checkpoint = {
  runId: "r1",
  config: parseTrainConfig({ learningRate: 0.1, batchSize: 1, steps: 10 }),
  step: 7,
  recordedStep: 5,
  minibatches: { random: createRandom(3).state(), position: 2 },
  batchLoss: { sum: 1 / 3, count: 2 },
  seconds: { training: 1.5, probes: 0.25 },
  latest: {
    "loss/train": 0.1 + 0.2,
    "noiseKernel/exact": Infinity,
    "noiseKernel/exact/standardError": NaN,
    low: -Infinity,
  },
  warnings: ["a"],
  switchedOff: ["b"],
  carried: { W1: Float32Array.of(1, -0, 1e-40), "velocity/W1": Float32Array.of(0.1) },
  probes: { sharpness: { vector: Float64Array.of(Math.PI, 5e-324) }, empty: {} },
};

describe("a checkpoint", () => {
  test("comes back as it was saved, every bit, and leaves nothing else in the folder", () => {
    const path = join(folder, "whole.safetensors");
    saveCheckpoint(path, checkpoint);
    saveCheckpoint(path, checkpoint);
    expect(loadCheckpoint(path)).toEqual({ ...checkpoint, probes: { sharpness: checkpoint.probes["sharpness"] } });
    expect(readdirSync(folder)).toEqual(["whole.safetensors"]);
  });

  test("cut short at any of its bytes is refused by name", () => {
    const whole = readFileSync(join(folder, "whole.safetensors"));
    const cut = join(folder, "cut.safetensors");
    for (let length = 0; length < whole.length; length += 13) {
      writeFileSync(cut, whole.subarray(0, length));
      expect(() => loadCheckpoint(cut)).toThrow(BadInput);
      expect(() => loadCheckpoint(cut)).toThrow(/cut\.safetensors: /);
    }
  });

  test("that is not there, not one of ours or of another format is refused", () => {
    expect(() => loadCheckpoint(join(folder, "absent"))).toThrow(
      /absent: there is no checkpoint to resume from \(ENOENT\)/,
    );
    const other = join(folder, "other.safetensors");
    writeFileSync(other, encodeSafetensors({ tensors: {}, metadata: {} }));
    expect(() => loadCheckpoint(other)).toThrow(/not a checkpoint of Sedge/);
    const write = (metadata: Record<string, string>) =>
      writeFileSync(other, encodeSafetensors({ tensors: {}, metadata }));
    write({ "sedge.format": "2" });
    expect(() => loadCheckpoint(other)).toThrow(/expected a checkpoint of format 1, got 2/);
    write({ "sedge.format": "1", "sedge.state": '{"step":-1}' });
    expect(() => loadCheckpoint(other)).toThrow(/a damaged checkpoint/);
  });

  test("cannot be saved to a folder that is not there, and says so without a trace", () => {
    expect(() => saveCheckpoint(join(folder, "none", "x"), checkpoint)).toThrow(/ENOENT/);
  });
});

describe("safetensors", () => {
  // The format's own layout, byte by byte: length, JSON, data.
  test("are laid out as the format says", () => {
    const bytes = encodeSafetensors({
      tensors: { a: { shape: [2], data: Float32Array.of(1, 2) } },
      metadata: { k: "v" },
    });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString())).toEqual({
      __metadata__: { k: "v" },
      a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
    });
    expect(Array.from(bytes.subarray(8 + length))).toEqual([0, 0, 128, 63, 0, 0, 0, 64]);
  });

  test("of other types, or with a corrupt header, are refused", () => {
    const file = (header: string) => {
      const bytes = new Uint8Array(8 + header.length);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
      bytes.set(new TextEncoder().encode(header), 8);
      return bytes;
    };
    const decode = (header: string) => () => decodeSafetensors(file(header), "x");
    expect(decode('{"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}}')).toThrow(
      'tensor "a": expected type F32 or F64, got I8',
    );
    expect(decode('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}')).toThrow(
      'truncated or corrupt at tensor "a"',
    );
    expect(decode("{")).toThrow("x: corrupt: its header is not JSON");
  });
});
