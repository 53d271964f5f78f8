import type { PhaseReading } from "./training/messages.js";

/** The phase diagram's frame, in the units of its SVG. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Logarithmic axes: B from 1 to `largestBatch` to the right, η from `low` to `high` upwards. */
export interface PhaseAxes {
  readonly frame: Frame;
  readonly largestBatch: number;
  readonly low: number;
  readonly high: number;
}

export const xOf = ({ frame, largestBatch }: PhaseAxes, batchSize: number): number =>
  frame.left + (frame.width * Math.log2(batchSize)) / Math.log2(largestBatch);

/** Cut to the frame: a threshold beyond the axis runs along its rim. */
export function yOf({ frame, low, high }: PhaseAxes, learningRate: number): number {
  const share = Math.log(learningRate / low) / Math.log(high / low);
  return frame.top + frame.height * (1 - Math.min(1, Math.max(0, share)));
}

/** The settings at a place of the diagram: the nearest power of two, and the learning rate there. */
export function settingsAt(
  axes: PhaseAxes,
  x: number,
  y: number,
): { readonly batchSize: number; readonly learningRate: number } {
  const { frame, largestBatch, low, high } = axes;
  const clamp = (share: number) => Math.min(1, Math.max(0, share));
  const exponent = Math.round(clamp((x - frame.left) / frame.width) * Math.log2(largestBatch));
  return {
    batchSize: 2 ** exponent,
    learningRate: low * (high / low) ** clamp(1 - (y - frame.top) / frame.height),
  };
}

/** A threshold as a path, from the smallest batch to the largest. */
export function pathOf(axes: PhaseAxes, { batchSizes }: PhaseReading, learningRates: readonly number[]): string {
  return batchSizes
    .map((size, i) => `${i === 0 ? "M" : "L"}${xOf(axes, size).toFixed(1)} ${yOf(axes, learningRates[i]!).toFixed(1)}`)
    .join(" ");
}

/** Powers of ten within the axis. */
export function decades({ low, high }: PhaseAxes): number[] {
  const from = Math.ceil(Math.log10(low) - 1e-9);
  const to = Math.floor(Math.log10(high) + 1e-9);
  return Array.from({ length: to - from + 1 }, (_, i) => Number(`1e${from + i}`));
}
