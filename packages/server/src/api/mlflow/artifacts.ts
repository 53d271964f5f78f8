import type { Context, Hono } from "hono";
import { largestArtifact, type ArtifactInfo } from "../../store/records.js";
import type { RunStore } from "../../store/store.js";
import { limitBody } from "../requests.js";
import { MlflowError, noSuchRun } from "./errors.js";

const root = "/api/2.0/mlflow-artifacts/artifacts";

interface Place {
  readonly runId: string;
  /** Below the run, "" for all of it. */
  readonly path: string;
}

/** `EXPERIMENT/RUN/artifacts/PATH`, as the client takes it from a run's artifact_uri. */
function placeOf(store: RunStore, given: string): Place {
  const [, runId, , path = ""] = /^\d+\/([^/]+)\/(artifacts)(?:\/(.*))?$/.exec(given) ?? [];
  if (runId === undefined) {
    throw new MlflowError("INVALID_PARAMETER_VALUE", `path: expected EXPERIMENT/RUN/artifacts/PATH, got ${given}`);
  }
  if (store.run(runId).id !== runId) throw noSuchRun(runId);
  return { runId, path: path.replace(/\/+$/, "") };
}

export interface FileMessage {
  readonly path: string;
  readonly is_dir: boolean;
  readonly file_size?: number;
}

/** What lies in a folder of a run's artifacts, by name. */
export function filesIn(artifacts: readonly ArtifactInfo[], folder: string): FileMessage[] {
  const start = folder === "" ? "" : `${folder}/`;
  const files = new Map<string, FileMessage>();
  for (const { name, bytes } of artifacts) {
    if (!name.startsWith(start)) continue;
    const [first, ...below] = name.slice(start.length).split("/");
    const isFolder = below.length > 0;
    files.set(first!, { path: first!, is_dir: isFolder, ...(isFolder ? {} : { file_size: bytes }) });
  }
  return [...files.values()];
}

/**
 * MLflow's artifact proxy, which `log_artifact`, `log_text`, `log_dict` and `log_figure` use: files of at most 16 MiB, kept as
 * the run's artifacts. A larger one is refused, and so are uploads in parts.
 */
export function artifactRoutes(app: Hono, store: RunStore): void {
  const file = (c: Context) => placeOf(store, c.req.param("path") ?? "");
  app.get(root, (c) => {
    const { runId, path } = placeOf(store, c.req.query("path") ?? "");
    c.header("Cache-Control", "no-store");
    return c.json({ files: filesIn(store.artifacts(runId), path) });
  });
  app.put(`${root}/:path{.+}`, limitBody(largestArtifact), async (c) => {
    const { runId, path } = file(c);
    if (store.origin(runId)?.source !== "mlflow") {
      throw new MlflowError("INVALID_STATE", `run ${runId} did not come by MLflow and takes no files from it.`);
    }
    const mediaType = c.req.header("content-type")?.split(";")[0]?.trim() ?? "application/octet-stream";
    const content = new Uint8Array(await c.req.arrayBuffer());
    store.record(runId, { artifacts: [{ name: path, time: Date.now(), mediaType, content }] });
    return c.json({});
  });
  app.get(`${root}/:path{.+}`, (c) => {
    const { runId, path } = file(c);
    const { content } = store.artifact(runId, path);
    // Whatever somebody stored: never shown in this origin.
    return c.body(new Uint8Array(content), 200, {
      "Content-Type": "application/octet-stream",
      "Content-Disposition": "attachment",
      "Cache-Control": "no-store",
    });
  });
  app.all("/api/2.0/mlflow-artifacts/*", (c) => {
    throw new MlflowError(
      "NOT_IMPLEMENTED",
      `${c.req.method} ${c.req.path}: Sedge takes, lists and gives files of at most ${largestArtifact} bytes, no parts of files.`,
    );
  });
}
