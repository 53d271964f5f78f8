import type { Hono } from "hono";
import { stringifyNonFinite } from "../store/non-finite-json.js";
import { largestArtifact } from "../store/records.js";
import type { RunStore } from "../store/store.js";
import { parseQuery } from "./requests.js";
import { recordsQuerySchema } from "./record-schemas.js";
import { answerUnlessKnown, route } from "./routes.js";

/** What a run has recorded beyond metrics. Probes are with the ingest, which makes them. */
export function recordRoutes(app: Hono, store: RunStore): void {
  route(app, "/api/v1/runs/:id/spectra", {
    GET: (c) => {
      const query = parseQuery(c, recordsQuerySchema);
      return answerUnlessKnown(c, store, () => {
        const spectra = store.spectra(c.req.param("id")!, query);
        return stringifyNonFinite({
          spectra: spectra.map(({ eigenvalues, ...rest }) => ({ ...rest, eigenvalues: [...eigenvalues] })),
        });
      });
    },
  });
  route(app, "/api/v1/runs/:id/advice", {
    GET: (c) => {
      const query = parseQuery(c, recordsQuerySchema);
      return answerUnlessKnown(c, store, () => stringifyNonFinite({ advice: store.advice(c.req.param("id")!, query) }));
    },
  });
  route(app, "/api/v1/runs/:id/artifacts", {
    GET: (c) =>
      answerUnlessKnown(c, store, () => stringifyNonFinite({ artifacts: store.artifacts(c.req.param("id")!) })),
  });
  route(
    app,
    "/api/v1/runs/:id/artifacts/:name{.+}",
    {
      GET(c) {
        const { mediaType, content } = store.artifact(c.req.param("id")!, c.req.param("name")!);
        // Whatever somebody stored: a browser saves it, and shows nothing of it in this origin but pictures.
        const disposition = /^image\/(png|jpeg|webp)$/.test(mediaType) ? "inline" : "attachment";
        return c.body(new Uint8Array(content), 200, {
          "Content-Type": mediaType,
          "Content-Disposition": disposition,
          "Cache-Control": "no-cache",
        });
      },
      async PUT(c) {
        const mediaType = c.req.header("content-type")?.split(";")[0]?.trim() ?? "application/octet-stream";
        const content = new Uint8Array(await c.req.arrayBuffer());
        store.record(c.req.param("id")!, {
          artifacts: [{ name: c.req.param("name")!, time: Date.now(), mediaType, content }],
        });
        return c.body(null, 204);
      },
    },
    largestArtifact,
  );
}
