import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCheckpoint } from "../../checkpoint/checkpoint.js";
import { edgeTest, type EdgeTestResult } from "../../edge-test/edge-test.js";
import type { RunEvent } from "../../run/events.js";
import { memorySink } from "../../run/sinks.js";
import { train } from "../../training/train.js";
import type { Cell } from "./cells.js";

/** What is kept of a run. Plain data. */
export interface CellResult extends Cell {
  readonly status: string;
  /** At the end; null of a run that diverged, as the others are. */
  readonly loss: number | null;
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
  /** Of the minibatches since the point before, a hundred or so of them. */
  readonly curve: readonly CurvePoint[];
  /** Wall time, the controller's measurements included, those of the study not. */
  readonly seconds: number;
  /** Of the controller's measurements, within `seconds`. */
  readonly controlSeconds: number;
  /** How often it measured. */
  readonly measurements: number;
  readonly finalLearningRate: number | null;
  readonly finalBatchSize: number | null;
  readonly rewinds: number;
  readonly edge: EdgeTestResult | null;
}

export interface CurvePoint {
  readonly step: number;
  readonly loss: number;
  /** Since the start of the run, as `CellResult.seconds` counts them. */
  readonly seconds: number;
}

/** Runs one cell. The loss is measured at both ends in every arm, and its cost is left out of the times. */
export async function runCell(cell: Cell, signal?: AbortSignal): Promise<CellResult> {
  const folder = mkdtempSync(join(tmpdir(), "sedge-study-"));
  try {
    const sink = memorySink();
    const path = join(folder, "run.safetensors");
    const result = await train(cell.config, {
      sinks: [sink],
      ...(signal && { signal }),
      ...(cell.edgeTest && { checkpoint: { path } }),
    });
    signal?.throwIfAborted();
    const { curve, lossSeconds, actions } = readEvents(sink.events);
    const controlSeconds = Math.max(0, result.seconds.probes - lossSeconds);
    const ended = result.status === "finished";
    const of = (key: string) => (ended && Number.isFinite(result.latest[key]) ? result.latest[key]! : null);
    const edge =
      cell.edgeTest && ended
        ? await edgeTest({
            ...{ checkpoint: loadCheckpoint(path), ...cell.edgeTest, halvings: 4, curvatureExamples: 512, signal },
          })
        : null;
    return {
      ...cell,
      status: result.status,
      ...{ loss: of("loss/train"), testLoss: of("loss/test"), testAccuracy: of("accuracy/test"), curve },
      seconds: result.seconds.training + controlSeconds,
      controlSeconds,
      measurements: actions.filter((action) => action !== "rewind").length,
      ...{ finalLearningRate: of("learningRate"), finalBatchSize: of("batchSize") },
      ...{ rewinds: actions.filter((action) => action === "rewind").length, edge },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readEvents(events: readonly RunEvent[]) {
  const curve: CurvePoint[] = [];
  const actions: string[] = [];
  let lossSeconds = 0;
  let start = NaN;
  for (const event of events) {
    if (event.type === "record" && event.kind === "control") actions.push(String(event.data["action"]));
    if (event.type === "run-started") start = event.time;
    if (event.type !== "metrics") continue;
    lossSeconds += event.values["cost/loss"] ?? 0;
    const loss = event.values["loss/batch"];
    if (loss === undefined || !Number.isFinite(loss)) continue;
    curve.push({ step: event.step, loss, seconds: (event.time - start) / 1000 - lossSeconds });
  }
  return { curve, lossSeconds, actions };
}
