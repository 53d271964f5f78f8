import { criticalLearningRate, exactNoiseKernel, type LinearSystem } from "@sedge/theory";
import type { PhaseReading } from "./messages.js";

/** Relative accuracy of a threshold: a tenth of a pixel of the diagram. `criticalLearningRate` of the theory gives ten digits. */
export const thresholdAccuracy = 1e-3;
const sampling = "without-replacement";

/**
 * The phase diagram of a probe, one batch size at a time, so that training goes on in between. The learning rate where the
 * exact K is 1 is sought on η/K − η, which for a single mode is linear in η.
 */
export class Thresholds {
  readonly #deterministic: number;
  readonly #batchSizes: readonly number[];
  readonly #exact: number[] = [];
  #perron: Float64Array | undefined;

  constructor(
    private readonly system: LinearSystem,
    private readonly step: number,
    private readonly population: number,
  ) {
    this.#deterministic = criticalLearningRate(system, { batchSize: 1, population, norm: "deterministic" }).value;
    this.#batchSizes = Array.from({ length: 1 + Math.floor(Math.log2(population)) }, (_, i) => 2 ** i);
  }

  /** Finds the next threshold. @returns the diagram once all are found, null until then. */
  next(): PhaseReading | null {
    const batchSize = this.#batchSizes[this.#exact.length];
    if (batchSize !== undefined) this.#exact.push(this.#thresholdAt(batchSize));
    if (this.#exact.length < this.#batchSizes.length) return null;
    const { system, population } = this;
    return {
      step: this.step,
      batchSizes: this.#batchSizes,
      exact: this.#exact,
      highDim: this.#batchSizes.map(
        (size) => criticalLearningRate(system, { batchSize: size, population, sampling, norm: "highDim" }).value,
      ),
      deterministic: this.#deterministic,
    };
  }

  /** By regula falsi with the Illinois correction, between the threshold of the batch before, which is smaller, and the edge. */
  #thresholdAt(batchSize: number): number {
    const edge = this.#deterministic;
    const known = this.#exact.at(-1);
    let [low, high] = [known ?? 0.25 * edge, edge * (1 - thresholdAccuracy)];
    if (known !== undefined && known >= high) return edge;
    let gapHigh = this.#gap(batchSize, high);
    if (gapHigh >= 0) return edge; // K reaches 1 so near the deterministic edge that the two are one line
    let gapLow = this.#gap(batchSize, low);
    while (gapLow < 0) {
      [high, gapHigh] = [low, gapLow];
      low *= 0.25;
      gapLow = this.#gap(batchSize, low);
    }
    let side = 0;
    while (high - low > thresholdAccuracy * high) {
      const middle = (low * gapHigh - high * gapLow) / (gapHigh - gapLow);
      const gap = this.#gap(batchSize, middle);
      if (Math.abs(gap) < 0.5 * thresholdAccuracy * middle) return middle;
      if (gap > 0) {
        [low, gapLow] = [middle, gap];
        if (side === 1) gapHigh *= 0.5;
        side = 1;
      } else {
        [high, gapHigh] = [middle, gap];
        if (side === -1) gapLow *= 0.5;
        side = -1;
      }
    }
    return 0.5 * (low + high);
  }

  /** η/K − η: positive inside the stochastic edge. */
  #gap(batchSize: number, learningRate: number): number {
    const { system, population } = this;
    const { value, perron } = exactNoiseKernel(
      system,
      { learningRate, batchSize, population, sampling },
      { tolerance: 1e-5, start: this.#perron },
    );
    if (value > 0) this.#perron = perron;
    return learningRate / value - learningRate;
  }
}
