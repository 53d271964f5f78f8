import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCheckpoint } from "../../checkpoint/checkpoint.js";
import { edgeTest, type EdgeTestResult } from "../../edge-test/edge-test.js";
import { memorySink } from "../../run/sinks.js";
import { train } from "../../training/train.js";
import type { Cell } from "./cells.js";

/** What is kept of a run. Plain data. */
export interface CellResult extends Omit<Cell, "config"> {
  readonly status: string;
  readonly loss: number | null;
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
  /** First step measured at which the training loss was at the target or below; null if never. */
  readonly stepsToTarget: number | null;
  /** Wall time to there, the controller's measurements included, those of the study not. */
  readonly secondsToTarget: number | null;
  readonly seconds: number;
  /** Of the controller's measurements, within `seconds`. */
  readonly controlSeconds: number;
  readonly finalLearningRate: number | null;
  readonly rewinds: number;
  readonly edge: EdgeTestResult | null;
}

/** Runs one cell. The loss is measured at the same 41 steps in every arm, and its cost is left out of the times. */
export async function runCell(
  { config, ...cell }: Cell,
  {
    targetLoss,
    edgeSteps,
    signal,
  }: { readonly targetLoss: number; readonly edgeSteps: number; readonly signal?: AbortSignal | undefined },
): Promise<CellResult> {
  const folder = mkdtempSync(join(tmpdir(), "sedge-study-"));
  try {
    const sink = memorySink();
    const path = join(folder, "run.safetensors");
    const result = await train(config, {
      sinks: [sink],
      ...(signal && { signal }),
      ...(cell.edgeTest && { checkpoint: { path } }),
    });
    signal?.throwIfAborted();
    let lossProbes = 0;
    let reached: number | null = null;
    let rewinds = 0;
    for (const event of sink.events) {
      if (event.type === "record" && event.data["action"] === "rewind") rewinds++;
      if (event.type !== "metrics") continue;
      lossProbes += event.values["cost/loss"] ?? 0;
      if (reached === null && event.values["loss/train"]! <= targetLoss) reached = event.step;
    }
    const control = Math.max(0, result.seconds.probes - lossProbes);
    const seconds = result.seconds.training + control;
    const of = (key: string) => (Number.isFinite(result.latest[key]) ? result.latest[key]! : null);
    const ended = result.status === "finished";
    const edge =
      cell.edgeTest && ended
        ? await edgeTest({ checkpoint: loadCheckpoint(path), seeds: 3, steps: edgeSteps, halvings: 4, signal })
        : null;
    return {
      ...cell,
      status: result.status,
      loss: ended ? of("loss/train") : null,
      testLoss: ended ? of("loss/test") : null,
      testAccuracy: ended ? of("accuracy/test") : null,
      stepsToTarget: reached,
      secondsToTarget: reached === null ? null : (seconds * reached) / Math.max(1, result.step),
      ...{ seconds, controlSeconds: control, finalLearningRate: of("learningRate"), rewinds, edge },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
