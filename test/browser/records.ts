/** What a trainer, an adviser and a controller record beside metrics, with numbers that are easy to reckon. */
import type { RunStore } from "@sedge/server";
import { addMetrics, startRun, type SyntheticRun } from "./runs.js";

export const recordedRun: SyntheticRun & { readonly batchSize: number } = {
  name: "mnist-fcn recorded",
  learningRate: 0.02,
  batchSize: 4,
  steps: 6000,
  noiseKernel: 0.9,
  startedAt: Date.UTC(2026, 0, 3, 12),
};

/** Steps of its probes. */
export const probeSteps = [0, 50, 150, 400, 1000, 2000, 3500, 6000];

/** 16 examples of 2 outputs: a bulk, and one large eigenvalue that settles below the edge 2/η = 100. */
export function eigenvaluesAt(step: number): number[] {
  const bulk = Array.from({ length: 31 }, (_, i) => 0.02 * 1.22 ** i);
  return [...bulk, 60 + 30 * (1 - Math.exp(-step / 800))];
}

/** A picture of 8 × 8 pixels with a bright diagonal. */
const diagonal = Buffer.from(Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? 255 : 30))).toString("base64");

export const layers = [
  { name: "dense 0", kind: "dense", params: ["W1", "b1"], size: 100_480 },
  { name: "dense 1", kind: "dense", params: ["W2", "b2"], size: 16_512 },
  { name: "output", kind: "dense", params: ["W3", "b3"], size: 1290 },
];
const sharesAt = (place: number) => [
  [0.6 - 0.2 * place, 0.25 + 0.1 * place, 0.15 + 0.1 * place],
  [0.3, 0.3, 0.4],
  [0.7 - 0.1 * place, 0.2, 0.1 + 0.1 * place],
];

const config = {
  ...{ seed: 1, momentum: 0, sampling: "with-replacement", loss: "squared" },
  data: { name: "mnist", examples: 1000 },
  model: { kind: "mlp", widths: [128, 128], activation: "tanh" },
  control: { kind: "noise-kernel", targetNoiseKernel: 0.9 },
};

/** A finished run with a spectrum, layers, examples, advice and a controller's decisions. */
export function fillRecordedRun(store: RunStore, run = recordedRun): string {
  const { startedAt = 0, learningRate, batchSize } = run;
  const id = startRun(store, { ...run, config: { ...config, learningRate, batchSize } });
  for (let step = 0; step <= 6000; step += 50) {
    addMetrics(store, id, run, step, {
      ...(step % 200 === 0 && { "control/targetNoiseKernel": 0.9, "control/noiseKernel": 0.8 + step / 60_000 }),
      learningRate: step < 3000 ? learningRate / 2 : learningRate,
      batchSize,
    });
  }
  store.append({ type: "run-finished", runId: id, time: startedAt + 12_000, step: 6000, status: "finished" });
  store.flush();
  const probes = probeSteps.flatMap((step, i) => {
    const place = i / (probeSteps.length - 1);
    const at = { step, time: startedAt + 2 * step };
    const [trace, lambdaMax, perron] = sharesAt(place);
    return [
      {
        ...at,
        kind: "spectrum/ntk",
        data: { matrix: "ntk", examples: 16, outputs: 2, eigenvalues: eigenvaluesAt(step), edge: 2 / learningRate },
      },
      { ...at, kind: "spectrum/hessian", data: hessianAt(step, learningRate) },
      {
        ...at,
        kind: "attribution",
        data: {
          ...{ examples: 16, outputs: 2, sampledOutputs: null, noiseKernel: 0.9, lambdaMax: 80 },
          layers: layers.map((layer, k) => ({
            ...layer,
            traceShare: trace![k]!,
            lambdaMaxShare: lambdaMax![k]!,
            perronShare: step === 0 ? NaN : perron![k]!,
          })),
        },
      },
      { ...at, kind: "examples", data: examplesAt(i) },
    ];
  });
  const decision = (step: number, action: string, from: number, to: number) => ({
    step,
    time: startedAt + 2 * step,
    kind: "control",
    data: {
      ...{ controller: "noise-kernel", action, reason: `K is ${action === "raise" ? "below" : "at"} its target.` },
      ...{ targetNoiseKernel: 0.9, noiseKernel: 0.8, noiseKernelError: 0.05, deterministic: NaN, error: -0.1 },
      measuredAt: step,
      before: { learningRate: from, batchSize },
      after: { learningRate: to, batchSize },
    },
  });
  store.record(id, {
    probes: [
      ...probes,
      decision(1000, "hold", 0.01, 0.01),
      decision(3000, "raise", 0.01, 0.02),
      decision(4000, "hold", 0.02, 0.02),
    ],
    advice: [
      { step: 6000, time: startedAt + 12_000, kind: "advisor", text: "Lower the learning rate.", data: adviceData },
    ],
  });
  return id;
}

function hessianAt(step: number, learningRate: number) {
  const top = 60 + 30 * (1 - Math.exp(-step / 800));
  const grid = Array.from({ length: 200 }, (_, i) => -5 + (i * (top + 10)) / 199);
  const peak = (at: number, width: number) => (value: number) => Math.exp(-(((value - at) / width) ** 2)) / width;
  const density = grid.map((value) => peak(0, 0.8)(value) + 0.002 * peak(top, 1)(value));
  return { matrix: "hessian", size: 118_282, grid, density, lambdaMin: -5, lambdaMax: top, edge: 2 / learningRate };
}

const examplesAt = (place: number) => ({
  ...{ examples: 16, noiseKernel: 0.9, effectiveExamples: 3.1 },
  responsible: [0.41, 0.22, 0.12, 0.08, 0.05].map((weight, i) => ({
    index: 100 * place + 7 * i,
    weight,
    label: i,
    predicted: i === 0 ? 3 : i,
    image: { width: 8, height: 8, channels: 1, pixels: diagonal },
  })),
});

const adviceData = {
  verdict: { state: "inside", binding: "stochastic", text: "" },
  temper: "balanced",
  statements: [
    {
      about: "learning-rate",
      text: "K would be 1 at a learning rate of 0.0222 ± 0.0010; half of that is safe.",
      confidence: "sure",
      numbers: { criticalLearningRate: { value: 0.0222, standardError: 0.001 } },
      change: { learningRate: 0.011 },
    },
    {
      about: "batch-size",
      text: "Or keep the learning rate and take batches of 8.",
      confidence: "likely",
      numbers: {},
      change: { batchSize: 8 },
    },
  ],
};

export const sweepName = "mnist-grid";

/**
 * A sweep of 6 learning rates × 5 batch sizes, two seeds in one cell. K = 4 η/B · 10 where it is finite; a run with K > 1
 * diverged. The last runs carry the spectrum that the theory's curves are made from.
 */
export function fillSweep(store: RunStore): void {
  const rates = [0.003, 0.01, 0.03, 0.1, 0.3, 1];
  const sizes = [1, 4, 16, 64, 256];
  let started = Date.UTC(2026, 0, 4, 12);
  for (const batchSize of sizes) {
    for (const learningRate of rates) {
      const noiseKernel = (40 * learningRate) / batchSize;
      const seeds = learningRate === 0.03 && batchSize === 4 ? [1, 2] : [1];
      for (const seed of seeds) {
        const run = {
          name: `η = ${learningRate}, B = ${batchSize}${seed > 1 ? `, seed ${seed}` : ""}`,
          ...{ learningRate, batchSize, noiseKernel, steps: 1000, startedAt: (started += 1000) },
        };
        const id = startRun(store, {
          ...run,
          config: { ...config, control: undefined, seed, learningRate, batchSize },
        });
        const diverged = noiseKernel > 1;
        const end = diverged ? 40 : 1000;
        for (let step = 0; step <= end; step += diverged ? 10 : 50) {
          const kernel = noiseKernel * (1 + Math.exp(-step / 200));
          addMetrics(store, id, run, step, {
            "noiseKernel/exact": kernel,
            "noiseKernel/exact/standardError": kernel / 20,
            sharpness: 20,
            "edge/deterministic": 10 * learningRate,
          });
        }
        const status = diverged ? "diverged" : "finished";
        store.append({ type: "run-finished", runId: id, time: started + 2 * end, step: end, status });
        store.flush();
        store.setTags(id, [`sweep:${sweepName}`]);
        const eigenvalues = eigenvaluesAt(0).map((x) => x / 8);
        const residuals = eigenvalues.map(() => 0.5); // of a loss on the probe of 32 · 0.5/(2 · 16) = 0.5
        const data = { matrix: "ntk", examples: 16, outputs: 2, eigenvalues, residuals, loss: 0.5 };
        store.record(id, {
          probes: [0, end].map((step) => ({
            step,
            time: started,
            kind: "spectrum/ntk",
            data: { ...data, edge: 2 / learningRate },
          })),
        });
      }
    }
  }
}
