import { decodeManySeries, decodeRuns } from "./decode.js";
import { ApiError } from "./errors.js";
import type { RunSummary, SeriesData } from "./types.js";

export interface Client {
  runs(signal?: AbortSignal): Promise<RunSummary[]>;
  /**
   * Metrics of several runs, by run and key. A run that no longer exists is left out.
   *
   * @param points  At most so many of each series, chosen so that extremes and gaps remain. Default: all.
   */
  metrics(query: MetricsQuery, signal?: AbortSignal): Promise<Map<string, Map<string, SeriesData>>>;
}

export interface MetricsQuery {
  readonly runs: readonly string[];
  readonly keys: readonly string[];
  readonly points?: number;
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
    metrics: async ({ runs: ids, keys, points }, signal) => {
      const query = new URLSearchParams({ runs: ids.join(","), keys: keys.join(",") });
      if (points !== undefined) query.set("points", String(points));
      return decodeManySeries(await get(`metrics?${query}`, signal));
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
