/** The process in which a run's probes measure frozen copies of it while it trains on. Ends with the channel to its parent. */
import { importOnnx } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { openDataset } from "../../data/open-dataset.js";
import { modelFromConfig } from "../../models/model-from-config.js";
import type { Model } from "../../models/model.js";
import { probesOf } from "../../probes/by-name.js";
import { optimizerOf } from "../optimizer.js";
import { probeContextOf } from "../probe-context.js";
import { openProbes, type ProbeSet } from "../probe-set.js";
import type { FromProbes, SentModel, ToProbes } from "./messages.js";

const tell = (message: FromProbes) => process.send?.(message);
let opened: Promise<ProbeSet> | undefined;

process.on("disconnect", () => process.exit(0));
// Ctrl-C reaches the whole group: it is for the parent to say when measuring ends.
process.on("SIGINT", () => undefined);
process.on("message", (message: ToProbes) => {
  void answer(message).catch((error: unknown) => {
    tell({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  });
});

async function answer(message: ToProbes): Promise<void> {
  if (message.type === "open") {
    opened = open(message);
    tell({ type: "ready", names: (await opened).names });
    return;
  }
  const probes = await opened!;
  const { step, params, carried, learningRate, batchSize, names } = message;
  const view = { step, params, carried, learningRate, batchSize };
  const { values, records, warnings } = await probes.observe(view, names);
  tell({ type: "observed", step, values, records, warnings });
}

async function open({ config, dataset, model }: Extract<ToProbes, { type: "open" }>): Promise<ProbeSet> {
  const data = dataset ?? (await openDataset(config.data));
  const family = optimizerOf(config).kind === "sgd" ? "sgd" : "adam";
  const network = model ? received(model) : modelFromConfig(config.model, data, family);
  return openProbes(probesOf(config), probeContextOf(config, data, network), createRandom(config.seed));
}

function received({ onnx, ...rest }: SentModel): Model {
  return {
    ...rest,
    graph: importOnnx(onnx).graph,
    initialise: () => {
      throw new Error("probe process: models are initialised where they are trained.");
    },
  };
}
