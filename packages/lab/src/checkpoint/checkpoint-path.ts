import { join } from "node:path";

/** Where the state of a run is kept, so that it can be resumed: in the folder of the store that the run is in. */
export function checkpointPath(storeFolder: string, runId: string): string {
  return join(storeFolder, "checkpoints", `${runId}.safetensors`);
}
