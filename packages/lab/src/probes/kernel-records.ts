/** What a measurement of K leaves besides its numbers: the probe's spectrum, and which layers and examples make K. */
import type { LinearSystem, ProbeNoiseKernel } from "@sedge/theory";
import type { LayerEnergy } from "../curvature/attribution/layer-shares.js";
import type { Dataset } from "../data/dataset.js";
import type {
  AttributionRecordData,
  ExamplesRecordData,
  NtkSpectrumRecordData,
  ResponsibleRecord,
} from "../run/records.js";
import type { ProbeRecord } from "./probe.js";

const mostExamples = 10;
const largestSide = 64;

/**
 * @param residual  z = f − y [n·C], of a squared loss without a preconditioner: the record then says how it lies among the modes,
 *   which is all that the theory of the linearised run needs.
 */
export function ntkSpectrumRecord(
  kernel: ProbeNoiseKernel,
  weightDecay: number,
  residual?: ArrayLike<number>,
): ProbeRecord {
  const { system, lambdaMax, deterministicRatio } = kernel;
  const data: NtkSpectrumRecordData = {
    matrix: "ntk",
    examples: system.examples,
    outputs: system.outputs,
    eigenvalues: Array.from(system.spectrum, sixDigits),
    edge: (lambdaMax + weightDecay) / deterministicRatio - weightDecay,
    ...(residual && residualAmongModes(system, residual)),
  };
  return { kind: "spectrum/ntk", data: { ...data } };
}

const sixDigits = (value: number): number => Number(value.toPrecision(6));

/** (v_μ·z)² of every eigenvalue, 0 for those that are 0, and ‖z‖²/(2n). */
function residualAmongModes(
  { examples, size, rank, modes }: LinearSystem,
  residual: ArrayLike<number>,
): Pick<NtkSpectrumRecordData, "residuals" | "loss"> {
  const components = new Float64Array(rank);
  let square = 0;
  for (let i = 0; i < size; i++) {
    const z = residual[i]!;
    square += z * z;
    for (let mu = 0; mu < rank; mu++) components[mu]! += modes[i * rank + mu]! * z;
  }
  const squares = Array.from(components, (component) => sixDigits(component * component));
  return { residuals: [...new Array<number>(size - rank).fill(0), ...squares], loss: square / (2 * examples) };
}

export function attributionRecord(
  { exact, lambdaMax }: ProbeNoiseKernel,
  shape: Pick<AttributionRecordData, "examples" | "outputs" | "sampledOutputs">,
  layers: readonly LayerEnergy[],
): ProbeRecord {
  const data: AttributionRecordData = { ...shape, noiseKernel: exact.value, lambdaMax, layers };
  return { kind: "attribution", data: { ...data } };
}

/**
 * Null where no example has a weight: without noise, and past the deterministic edge.
 *
 * @param indices  Of the probe in the training set.
 * @param output  f [n, C].
 */
export function examplesRecord(
  { exact, exampleWeights }: ProbeNoiseKernel,
  dataset: Dataset,
  indices: ArrayLike<number>,
  output: ArrayLike<number>,
): ProbeRecord | null {
  const weights = Array.from(exampleWeights);
  if (!weights.some((weight) => weight > 0)) return null;
  const responsible = weights
    .map((weight, place): ResponsibleRecord & { readonly place: number } => ({ index: indices[place]!, weight, place }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, mostExamples)
    .map(({ place, ...example }) => ({ ...example, ...seen(dataset, example.index, output, place) }));
  const data: ExamplesRecordData = {
    examples: weights.length,
    noiseKernel: exact.value,
    effectiveExamples: 1 / weights.reduce((sum, weight) => sum + weight ** 2, 0),
    responsible,
  };
  return { kind: "examples", data: { ...data } };
}

/** What people recognise an example by. */
function seen(
  { train, inputShape, outputs }: Dataset,
  index: number,
  output: ArrayLike<number>,
  place: number,
): Omit<ResponsibleRecord, "index" | "weight"> {
  const target = train.targets.subarray(index * outputs, (index + 1) * outputs);
  const ones = target.filter((x) => x === 1).length;
  const isClass = outputs > 1 && ones === 1 && target.every((x) => x === 0 || x === 1);
  const size = train.inputs.length / train.examples;
  const image = imageOf(train.inputs.subarray(index * size, (index + 1) * size), inputShape);
  return {
    ...(isClass && {
      label: target.indexOf(1),
      predicted: largest(Array.from({ length: outputs }, (_, c) => output[place * outputs + c]!)),
    }),
    ...(image && { image }),
  };
}

const largest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/** Each channel is scaled by the whole image's range: it was shifted and scaled for the network. */
function imageOf(input: Float32Array, shape: readonly number[]): ResponsibleRecord["image"] {
  const [height, width, channels] = shape as readonly [number, number, number];
  const isImage = shape.length === 3 && Math.max(height, width) <= largestSide && (channels === 1 || channels === 3);
  if (!isImage) return undefined;
  const low = input.reduce((least, x) => Math.min(least, x), Infinity);
  const high = input.reduce((most, x) => Math.max(most, x), -Infinity);
  const scale = high > low ? 255 / (high - low) : 0;
  const bytes = Uint8Array.from(input, (x) => Math.round((x - low) * scale));
  return { width, height, channels, pixels: Buffer.from(bytes).toString("base64") };
}
