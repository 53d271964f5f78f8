import type { TrainConfig } from "@sedge/lab";

/** From the command to the process that trains. */
export type ToTrainer =
  | {
      readonly type: "start";
      readonly runId: string;
      readonly config: TrainConfig;
      /** Folder of the run store. */
      readonly store: string;
      /** Goes on from the run's checkpoint, instead of from the start. */
      readonly resume: boolean;
    }
  | { readonly type: "stop" };

/** How fast a run goes: what no event in the store says, because nobody will ask for it later. */
export interface Pace {
  readonly step: number;
  /** Probes not counted; 0 before there is a speed. */
  readonly stepsPerSecond: number;
  /** Probes included; NaN before there is an estimate. */
  readonly secondsLeft: number;
}

/** From the process that trains. What it measures is in the store; this only says how it fares. */
export type FromTrainer =
  /** The run is in the store. */
  | { readonly type: "started" }
  | { readonly type: "progress"; readonly progress: Pace }
  | {
      readonly type: "ended";
      readonly status: "finished" | "diverged" | "interrupted";
      readonly step: number;
      /** What went wrong without ending the run. */
      readonly warnings: readonly string[];
    }
  /** The run has begun and could not go on: a fault of Sedge or of the machine. */
  | { readonly type: "failed"; readonly message: string }
  /** Nothing was trained. */
  | { readonly type: "refused"; readonly message: string; readonly badInput: boolean };
