import { describe, expect, test } from "vitest";
import { lossProbe } from "../probes/loss.js";
import { sharpnessProbe } from "../probes/sharpness.js";
import type { MetricsRecorded } from "../run/events.js";
import { memorySink } from "../run/sinks.js";
import { train } from "./train.js";

// The main model, 784-128-128-10 tanh, on the first 1000 images, seed 0, η = 0.01. Truth: JAX in float64, given our
// initial weights and our minibatch indices (docs/studies/mnist-three-learning-rates.md). Ours is float32: 400 steps
// move the loss by a relative 1e-6 (measured), and the sharpness stops at a relative residual of 1e-3, which its value's
// error is the square of.
describe.each([
  {
    batchSize: 1,
    sampling: "with-replacement",
    loss: 0.3218156730190001,
    sharpness: 53.58896967737428,
    accuracy: 0.767,
  },
  {
    batchSize: 20,
    sampling: "epoch-shuffle",
    loss: 0.14928440783686034,
    sharpness: 78.63464752622863,
    accuracy: 0.931,
  },
] as const)("real MNIST, batches of $batchSize, $sampling", ({ batchSize, sampling, loss, sharpness, accuracy }) => {
  test("400 steps follow the same computation in float64", async () => {
    const sink = memorySink();
    const { latest } = await train(
      { learningRate: 0.01, batchSize, sampling, steps: 400, probes: { count: 2 } },
      { sinks: [sink], probes: [lossProbe(), sharpnessProbe()] },
    );
    const { values: initial } = sink.events.find((event): event is MetricsRecorded => event.type === "metrics")!;
    expectRelative(initial["loss/train"]!, 1.6798840075249215, 1e-5);
    expectRelative(initial["sharpness"]!, 111.41788854137249, 1e-4);
    expectRelative(latest["loss/train"]!, loss, 1e-4);
    expectRelative(latest["sharpness"]!, sharpness, 1e-4);
    expect(latest["accuracy/train"]).toBeCloseTo(accuracy, 3); // to the image: one of 1000 more or less would differ by 1e-3
    expect(latest["loss/train"]!).toBeLessThan(initial["loss/train"]! / 5);
  });
});

function expectRelative(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual / expected - 1)).toBeLessThanOrEqual(tolerance);
}
