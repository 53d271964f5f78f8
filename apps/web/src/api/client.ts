import { decodeManySeries, decodeRecords, decodeRuns, decodeSpectra, decodeTags } from "./decode.js";
import { ApiError } from "./errors.js";
import type { RunRecord, RunSummary, SeriesData } from "./types.js";

export interface Client {
  runs(signal?: AbortSignal): Promise<RunSummary[]>;
  /**
   * Metrics of several runs, by run and key. A run that no longer exists is left out.
   *
   * @param points  At most so many of each series, chosen so that extremes and gaps remain. Default: all.
   */
  metrics(query: MetricsQuery, signal?: AbortSignal): Promise<Map<string, Map<string, SeriesData>>>;
  /** What a run recorded beyond metrics, ascending in step. */
  records(runId: string, query?: RecordsQuery, signal?: AbortSignal): Promise<RunRecord[]>;
  /** Gives a run these tags in place of those it has. @returns them as the server keeps them. */
  setTags(runId: string, tags: readonly string[]): Promise<string[]>;
}

export interface RecordsQuery {
  /** Only those of later steps. */
  readonly afterStep?: number;
  /** Only probes of these kinds. Default: all probes, spectra and advice. */
  readonly kinds?: readonly string[];
}

export interface MetricsQuery {
  readonly runs: readonly string[];
  readonly keys: readonly string[];
  readonly points?: number;
}

/** Of one list of a run's records, the latest: more is more than a page can show. */
const mostRecords = 10_000;

/**
 * What the page asks of the HTTP API.
 *
 * @param base  Where `/api/v1/` is, with the trailing slash.
 * @returns  Methods that throw `ApiError`, or the abort's own error.
 */
export function createClient(base: URL, fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis)): Client {
  const ask = async (path: string, init: RequestInit): Promise<unknown> => {
    let response: Response;
    try {
      response = await fetch(new URL(path, base), init);
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new ApiError("unreachable", "The server does not answer.", { cause: error });
    }
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) throw errorFrom(response, body);
    return body;
  };
  const get = (path: string, signal?: AbortSignal) =>
    ask(path, { headers: { accept: "application/json" }, signal: signal ?? null });
  return {
    runs: async (signal) => decodeRuns(await get("runs", signal)),
    metrics: async ({ runs: ids, keys, points }, signal) => {
      const query = new URLSearchParams({ runs: ids.join(","), keys: keys.join(",") });
      if (points !== undefined) query.set("points", String(points));
      return decodeManySeries(await get(`metrics?${query}`, signal));
    },
    records: async (runId, { afterStep, kinds } = {}, signal) => {
      const read = (list: string) => {
        const query = new URLSearchParams({ limit: String(mostRecords) });
        if (afterStep !== undefined) query.set("afterStep", String(afterStep));
        if (kinds !== undefined) query.set("kind", kinds.join(","));
        return get(`runs/${encodeURIComponent(runId)}/${list}?${query}`, signal);
      };
      if (kinds !== undefined) return decodeRecords(await read("probes"), "probes");
      const [probes, advice, spectra] = await Promise.all([read("probes"), read("advice"), read("spectra")]);
      const all = [...decodeRecords(probes, "probes"), ...decodeRecords(advice, "advice"), ...decodeSpectra(spectra)];
      return all.sort((a, b) => a.step - b.step);
    },
    setTags: async (runId, tags) => {
      const answer = await ask(`runs/${encodeURIComponent(runId)}/tags`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ tags }),
      });
      return decodeTags((answer as { tags?: unknown } | null)?.tags);
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
