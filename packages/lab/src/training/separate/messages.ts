/** What the training process and the process of its probes tell each other, by structured cloning: arrays go as bytes. */
import type { TrainConfig } from "../../config/train-config.js";
import type { Dataset } from "../../data/dataset.js";
import type { Model, Params } from "../../models/model.js";
import type { ProbeRecord } from "../../probes/probe.js";

/** A model without its functions, its graph as an ONNX file. */
export interface SentModel extends Pick<Model, "description" | "inputShape" | "outputs" | "params" | "paramCount"> {
  readonly onnx: Uint8Array;
}

export type ToProbes =
  | {
      readonly type: "open";
      readonly config: TrainConfig;
      /** Where they are not those that the config names. */
      readonly dataset: Dataset | undefined;
      readonly model: SentModel | undefined;
    }
  | ({ readonly type: "observe"; readonly names: readonly string[] } & Frozen);

/** A run as it was after `step` updates: copies, which nothing writes to. */
export interface Frozen {
  readonly step: number;
  readonly params: Params;
  readonly carried: Params;
  readonly learningRate: number;
  /** B of the next update. */
  readonly batchSize: number;
}

export type FromProbes =
  | { readonly type: "ready"; readonly names: readonly string[] }
  | {
      readonly type: "observed";
      readonly step: number;
      readonly values: Readonly<Record<string, number>>;
      readonly records: readonly ProbeRecord[];
      readonly warnings: readonly string[];
    }
  | { readonly type: "failed"; readonly message: string };
