/** Everything in Sedge that reads what others wrote, with whole samples of it and the errors it may answer with. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { BadInput } from "@sedge/lab";
import { importOnnx, OnnxFileError } from "../../packages/autodiff/src/index.js";
import { readTheoryFile } from "../../packages/cli/src/theory/theory-file.js";
import { loadCheckpoint } from "../../packages/lab/src/checkpoint/checkpoint.js";
import { decodeSafetensors, encodeSafetensors } from "../../packages/lab/src/checkpoint/safetensors.js";
import { loadTrainConfig, readConfigFile } from "../../packages/lab/src/config/load-config.js";
import { readCifar } from "../../packages/lab/src/data/cifar.js";
import { readIdx } from "../../packages/lab/src/data/idx.js";
import { parseNpy } from "../../packages/lab/src/data/npy.js";
import { parseNpz } from "../../packages/lab/src/data/npz.js";
import { parseSweepConfig } from "../../packages/lab/src/sweep/sweep-config.js";
import { parseFilter } from "../../packages/server/src/api/mlflow/search.js";
import { MlflowError } from "../../packages/server/src/api/mlflow/errors.js";
import { IngestError } from "../../packages/server/src/errors.js";
import { parseMetricLines } from "../../packages/server/src/ingest/metric-lines.js";
import { readProbeRequest } from "../../packages/server/src/ingest/probe/probe-request.js";
import { maskedCrc32c } from "../../packages/server/src/ingest/tensorboard/crc32c.js";
import { ScalarReader } from "../../packages/server/src/ingest/tensorboard/scalar-events.js";
import { readRecord } from "../../packages/server/src/ingest/tensorboard/tf-records.js";

export interface Parser {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  /** Reads one input. Anything it returns is fine: damage may leave an input that means something. */
  readonly read: (bytes: Uint8Array) => void;
  /** What it may throw instead. */
  readonly refusals: readonly (abstract new (...args: never[]) => Error)[];
}

const packages = join(import.meta.dirname, "../../packages");
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (input: Uint8Array) => new TextDecoder().decode(input);

const random = { algorithm: "sfc32", key: [1, 2, 3, 4], words: [5, 6, 7, 8] };

/** What a checkpoint holds beside its tensors. */
const state = JSON.stringify({
  runId: "abc",
  config: { seed: 1 },
  step: 10,
  recordedStep: 10,
  minibatches: { random, position: 3 },
  batchLoss: { sum: "NaN", count: 2 },
  seconds: { training: 1.5, probes: 0.1 },
  latest: { "loss/train": 0.5 },
  warnings: [],
  switchedOff: [],
});

/** All parsers. Those that read files write each input to one file of this folder. */
export function parsers(folder: string): readonly Parser[] {
  const file = (name: string, read: (path: string) => void) => (input: Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, input);
    read(path);
  };
  return [
    {
      name: "config, YAML",
      samples: [
        bytes(
          "name: a run\nseed: 3\nlearningRate: 0.01\nbatchSize: 8\nsteps: 100\nmodel:\n  kind: mlp\n  widths: [16, 16]\n",
        ),
        bytes(
          "data: {name: mnist, examples: 100}\nlearningRate: 0.1\nbatchSize: 1\nsteps: 10\nloss: squared\nprobes:\n  count: 4\n  examples: 16\n",
        ),
      ],
      read: file("config.yaml", loadTrainConfig),
      refusals: [BadInput],
    },
    {
      name: "config, JSON",
      samples: [
        bytes(
          JSON.stringify({ seed: 1, learningRate: 0.1, batchSize: 2, steps: 9, model: { kind: "mlp", widths: [4] } }),
        ),
      ],
      read: file("config.json", loadTrainConfig),
      refusals: [BadInput],
    },
    {
      name: "sweep",
      samples: [
        bytes(
          "name: phases\nbase: mnist-fcn\ngrid:\n  learningRate: [0.003, 0.01]\n  batchSize: [1, 8]\n  seed: [0, 1]\n",
        ),
      ],
      read: file("sweep.yaml", (path) => parseSweepConfig(readConfigFile(path), path)),
      refusals: [BadInput],
    },
    {
      name: "theory file",
      samples: [
        bytes(
          JSON.stringify({
            examples: 2,
            outputs: 1,
            ntk: [2, 1, 1, 3],
            learningRate: 0.1,
            batchSize: 1,
          }),
        ),
      ],
      read: file("theory.json", readTheoryFile),
      refusals: [BadInput],
    },
    {
      name: "ONNX",
      samples: ["mlp-torchscript-17", "cnn-torchscript-13", "fresh-torchscript-17", "wave-torchscript-15"].map(
        (name) => new Uint8Array(readFileSync(join(packages, `autodiff/src/fixtures/pytorch/${name}.onnx`))),
      ),
      read: importOnnx,
      refusals: [OnnxFileError],
    },
    {
      name: "npy",
      samples: [npy("<f4", [2, 3], 24), npy("<i8", [4], 32), npy("|b1", [2, 2], 4)],
      read: (input) => parseNpy(input),
      refusals: [BadInput],
    },
    { name: "npz", samples: [npz(0), npz(8)], read: (input) => parseNpz(input), refusals: [BadInput] },
    {
      name: "safetensors",
      samples: [
        encodeSafetensors({
          tensors: {
            w: { shape: [2, 3], data: new Float32Array([1, 2, 3, 4, 5, 6]) },
            b: { shape: [2], data: new Float64Array([7, 8]) },
          },
          metadata: { made: "by hand" },
        }),
      ],
      read: (input) => decodeSafetensors(input, "w.safetensors"),
      refusals: [BadInput],
    },
    {
      // With a length that fits, so that the damage reaches what lies behind it.
      name: "safetensors header",
      samples: [
        bytes('{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'),
        bytes(
          '{"w":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"x":{"dtype":"F32","shape":[0],"data_offsets":[16,16]}}',
        ),
      ],
      read: (input) => {
        const length = new DataView(new ArrayBuffer(8));
        length.setUint32(0, input.length, true);
        const whole = Uint8Array.from([...new Uint8Array(length.buffer), ...input, ...new Uint8Array(16)]);
        decodeSafetensors(whole, "w.safetensors");
      },
      refusals: [BadInput],
    },
    {
      // With a record that fits, likewise.
      name: "checkpoint state",
      samples: [bytes(state)],
      read: (input) => {
        const metadata = { "sedge.format": "1", "sedge.state": text(input) };
        file("run.safetensors", loadCheckpoint)(encodeSafetensors({ tensors: {}, metadata }));
      },
      refusals: [BadInput],
    },
    {
      name: "checkpoint",
      samples: [checkpoint()],
      read: file("run.safetensors", loadCheckpoint),
      refusals: [BadInput],
    },
    {
      name: "IDX",
      samples: [idx([3, 2, 2]), idx([5, 1, 1])],
      read: file("images-idx3-ubyte", (path) => readIdx(path, { rank: 3 })),
      refusals: [BadInput],
    },
    {
      name: "CIFAR",
      samples: [cifar(1), cifar(2)],
      read: file("data_batch_1.bin", (path) => readCifar(path, { kind: "cifar10" })),
      refusals: [BadInput],
    },
    {
      name: "TensorBoard records",
      samples: [tensorBoard("v2"), tensorBoard("torch").slice(0, 600)],
      read: (input) => eventsOf(input).forEach((event) => new ScalarReader().read(event)),
      refusals: [RangeError],
    },
    {
      // With checksums that fit, so that the damage reaches what lies behind them.
      name: "TensorBoard events",
      samples: eventsOf(tensorBoard("v2")),
      read: (input) => new ScalarReader().read(eventsOf(record(input))[0]!),
      refusals: [RangeError],
    },
    {
      name: "metric lines",
      samples: [
        bytes(
          '{"step":1,"values":{"loss":0.5,"accuracy":NaN}}\n{"step":2,"time":17e11,"values":{"loss":-Infinity},"sequence":2}\n',
        ),
      ],
      read: (input) => parseMetricLines(text(input), 0),
      refusals: [IngestError],
    },
    {
      name: "probe, JSON",
      samples: [
        bytes(
          '{"step":3,"kind":"ntk","examples":2,"outputs":1,"gram":[[2,1],[1,2]],"learningRate":0.1,"batchSize":1,"population":10}',
        ),
        bytes('{"step":3,"kind":"trace","examples":4,"trace":2.5,"learningRate":0.1,"batchSize":2,"momentum":0.9}'),
      ],
      read: (input) => readProbeRequest({ bytes: input, query: null }),
      refusals: [IngestError],
    },
    {
      name: "probe, raw",
      samples: [new Uint8Array(Float32Array.of(2, 1, 1, 2).buffer)],
      read: (input) =>
        readProbeRequest({
          bytes: input,
          query: {
            step: "3",
            kind: "ntk",
            examples: "2",
            outputs: "1",
            dtype: "float32",
            learningRate: "0.1",
            batchSize: "1",
          },
        }),
      refusals: [IngestError],
    },
    {
      name: "MLflow search",
      samples: [
        bytes("metrics.loss < 0.5 AND params.`model name` LIKE 'res%'"),
        bytes("tags.user = 'a' and attributes.status != \"FAILED\""),
      ],
      read: (input) => parseFilter(text(input)),
      refusals: [MlflowError],
    },
  ];
}

function npy(descr: string, shape: readonly number[], dataLength: number): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`.padEnd(117) + "\n";
  return Uint8Array.from([
    0x93,
    ...bytes("NUMPY"),
    1,
    0,
    header.length,
    0,
    ...bytes(header),
    ...new Uint8Array(dataLength),
  ]);
}

/** An archive of one array, its parts in the order of APPNOTE.TXT §4.3: local header, data, central directory, end. */
function npz(method: 0 | 8): Uint8Array {
  const array = npy("<f8", [2], 16);
  const packed = method === 8 ? new Uint8Array(deflateRawSync(array)) : array;
  const name = bytes("x.npy");
  const u16 = (value: number) => [value & 255, value >> 8];
  const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
  // The checksum is left at zero: NumPy's reader checks it, ours accounts for every byte of the array instead.
  const shared = [
    ...u16(20),
    ...u16(0),
    ...u16(method),
    ...u32(0),
    ...u32(0),
    ...u32(packed.length),
    ...u32(array.length),
    ...u16(name.length),
    ...u16(0),
  ];
  const local = [...u32(0x04034b50), ...shared, ...name, ...packed];
  const central = [
    ...u32(0x02014b50),
    ...u16(20),
    ...shared,
    ...u16(0),
    ...u16(0),
    ...u16(0),
    ...u32(0),
    ...u32(0),
    ...name,
  ];
  const end = [
    ...u32(0x06054b50),
    ...u32(0),
    ...u16(1),
    ...u16(1),
    ...u32(central.length),
    ...u32(local.length),
    ...u16(0),
  ];
  return Uint8Array.from([...local, ...central, ...end]);
}

function checkpoint(): Uint8Array {
  return encodeSafetensors({
    tensors: {
      "carried/w": { shape: [3], data: new Float32Array(3) },
      "probe/sharpness/start": { shape: [2], data: new Float64Array(2) },
    },
    metadata: { "sedge.format": "1", "sedge.state": state },
  });
}

function idx(shape: readonly number[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  [(8 << 8) | shape.length, ...shape].forEach((word, i) => header.setUint32(4 * i, word));
  const count = shape.reduce((product, axis) => product * axis, 1);
  return Uint8Array.from([...new Uint8Array(header.buffer), ...new Uint8Array(count).fill(7)]);
}

const cifar = (images: number) => Uint8Array.from({ length: images * 3073 }, (_, i) => (i % 3073 === 0 ? 3 : i % 251));

const tensorBoard = (name: string) =>
  new Uint8Array(
    readFileSync(join(packages, `server/src/ingest/tensorboard/fixtures/events.out.tfevents.1700000000.${name}`)),
  );

function record(data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(data.length + 16);
  const view = new DataView(whole.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, maskedCrc32c(whole.subarray(0, 8)), true);
  whole.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return whole;
}

function eventsOf(input: Uint8Array): Uint8Array[] {
  const events: Uint8Array[] = [];
  for (let at = 0; ;) {
    const next = readRecord(input, at);
    if (next.found !== "record") return events;
    if (next.data !== null) events.push(next.data);
    at = next.end;
  }
}
