import { decodeRuns, decodeSeries } from "./decode.js";
import { ApiError } from "./errors.js";
import type { RunSummary, SeriesData } from "./types.js";

export interface Client {
  runs(signal?: AbortSignal): Promise<RunSummary[]>;
  metrics(runId: string, keys: readonly string[], signal?: AbortSignal): Promise<Map<string, SeriesData>>;
}

/**
 * The read side of the HTTP API.
 *
 * @param base  Where `/api/v1/` is, with the trailing slash.
 * @returns  Methods that throw `ApiError`, or the abort's own error.
 */
export function createClient(base: URL, fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis)): Client {
  const get = async (path: string, signal?: AbortSignal): Promise<unknown> => {
    let response: Response;
    try {
      response = await fetch(new URL(path, base), { headers: { accept: "application/json" }, signal: signal ?? null });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError("unreachable", "The server does not answer.", { cause: error });
    }
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) throw errorFrom(response, body);
    return body;
  };
  return {
    runs: async (signal) => decodeRuns(await get("runs", signal)),
    metrics: async (runId, keys, signal) => {
      const query = new URLSearchParams({ keys: keys.join(",") });
      return decodeSeries(await get(`runs/${encodeURIComponent(runId)}/metrics?${query}`, signal));
    },
  };
}

function errorFrom(response: Response, body: unknown): ApiError {
  const { code, message } = (body ?? {}) as { code?: unknown; message?: unknown };
  return new ApiError(
    typeof code === "string" ? code : "http",
    typeof message === "string" ? message : `The server answered ${response.status} ${response.statusText}.`,
  );
}
