import { expect, test } from "vitest";
import { standingOf, verdict, type Standing } from "./verdict.js";

const finished = (rest: Partial<Standing>): Standing => ({ status: "finished", step: 12_000, ...rest });

// The three main-job rows of theory.md §3, and the boundaries that the documentation states.
test.each<[Partial<Standing>, string, string | null, string]>([
  [
    { deterministic: 0.09, noiseKernel: 0.3, noiseKernelError: 0.02 },
    "well-inside",
    "stochastic",
    "well inside both edges: K = 0.30 ± 0.02, λ_max·η/2 = 0.09; a larger learning rate has room",
  ],
  [
    { deterministic: 0.19, noiseKernel: 0.65, noiseKernelError: 0.05 },
    "inside",
    "stochastic",
    "inside, nearer the stochastic edge: K = 0.65 ± 0.05, λ_max·η/2 = 0.19",
  ],
  [
    { deterministic: 0.17, noiseKernel: 1.02, noiseKernelError: 0.06 },
    "at-edge",
    "stochastic",
    "at the stochastic edge: K = 1.02 ± 0.06, λ_max·η/2 = 0.17",
  ],
  [{ noiseKernel: 1.39, noiseKernelError: 0.2 }, "at-edge", "stochastic", "at the stochastic edge: K = 1.39 ± 0.20"],
  [
    { noiseKernel: 1.39, noiseKernelError: 0.1 },
    "past-edge",
    "stochastic",
    "past the stochastic edge: K = 1.39 ± 0.10",
  ],
  [
    { noiseKernel: 0.6, noiseKernelError: 0.002 },
    "inside",
    "stochastic",
    "inside, nearer the stochastic edge: K = 0.60 ± <0.01",
  ],
  [{ noiseKernel: 0.95 }, "at-edge", "stochastic", "at the stochastic edge: K = 0.95"],
  [
    { deterministic: 1.9, noiseKernel: Infinity },
    "past-edge",
    "deterministic",
    "past the deterministic edge: K = ∞, λ_max·η/2 = 1.90",
  ],
  [
    { deterministic: 1.03, noiseKernel: 0.2 },
    "at-edge",
    "deterministic",
    "at the deterministic edge: K = 0.20, λ_max·η/2 = 1.03",
  ],
  [
    { deterministic: 0.7, noiseKernel: 0.2 },
    "inside",
    "deterministic",
    "inside, nearer the deterministic edge: K = 0.20, λ_max·η/2 = 0.70",
  ],
  [{}, "unknown", null, "neither edge was measured"],
])("%o", (standing, state, binding, text) => {
  expect(verdict(finished(standing))).toEqual({ state, binding, text });
});

test("a diverged run says at which step, and what was last measured", () => {
  const diverged = { status: "diverged", step: 37 } as const;
  expect(verdict({ ...diverged, deterministic: 6.3, noiseKernel: Infinity })).toEqual({
    state: "diverged",
    binding: "deterministic",
    text: "diverged at step 37; last measured: K = ∞, λ_max·η/2 = 6.30",
  });
  expect(verdict({ ...diverged, noiseKernel: 0.4 }).text).toBe(
    "diverged at step 37; when last measured it was inside: K = 0.40",
  );
  expect(verdict({ ...diverged, deterministic: 56_012_608.26 }).text).toBe(
    "diverged at step 37; last measured: λ_max·η/2 = 5.6e+7",
  );
  expect(verdict(diverged).text).toBe("diverged at step 37");
});

test("a run that was broken off says so", () => {
  expect(verdict({ status: "interrupted", step: 500, deterministic: 0.1, noiseKernel: 0.3 }).text).toBe(
    "interrupted at step 500, well inside both edges: K = 0.30, λ_max·η/2 = 0.10; a larger learning rate has room",
  );
});

test("reads a run's newest metrics", () => {
  const latest = {
    "edge/deterministic": 0.17,
    "noiseKernel/exact": 1.02,
    "noiseKernel/exact/standardError": 0.06,
    other: 7,
  };
  expect(verdict(standingOf("running", 300, latest)).text).toBe(
    "at the stochastic edge: K = 1.02 ± 0.06, λ_max·η/2 = 0.17",
  );
  expect(verdict(standingOf("running", 0, {})).state).toBe("unknown");
});
