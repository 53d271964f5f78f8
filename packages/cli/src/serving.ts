import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ServerError, startServer, type RunningServer, type RunStore } from "@sedge/server";
import { BadInput } from "@sedge/lab";
import type { Io } from "./io.js";

/** Seven-eight-seven-eight: free of registered services that people run. */
export const defaultPort = 7878;

/** A port as written after `--port`; undefined where it was not given. */
export function parsePort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new BadInput(
    `--port: expected a whole number from 0 to 65535 (0 takes a free one), got ${JSON.stringify(text)}.`,
  );
}

export interface ServeChoices {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  /** Asked of everybody who connects. */
  readonly token?: string | undefined;
}

/**
 * Serves the dashboard of a store.
 *
 * @param port  Where a person chose it, a busy one is an error. Otherwise the default port is tried first, and where
 *   that is busy a free one is taken and said.
 */
export async function serveStore(store: RunStore, io: Io, { port, host, token }: ServeChoices): Promise<RunningServer> {
  const webRoot = dashboardFolder();
  if (webRoot === undefined) io.note("The dashboard has not been built (npm run build), so there is only the API.");
  const given = Object.entries({ webRoot, host, token }).filter(([, value]) => value !== undefined);
  const options = { store, ...(Object.fromEntries(given) as { webRoot?: string; host?: string; token?: string }) };
  if (port !== undefined) return startServer({ ...options, port });
  try {
    return await startServer({ ...options, port: defaultPort });
  } catch (error) {
    if (!(error instanceof ServerError) || error.code !== "port-in-use") throw error;
    const server = await startServer({ ...options, port: 0 });
    io.note(`Port ${defaultPort} is in use by another program; taking ${server.port}.`);
    return server;
  }
}

/** Resolves when the person has had enough, by Ctrl-C. */
export function untilInterrupted({ interrupted }: Io): Promise<void> {
  return new Promise((resolve) => {
    if (interrupted.aborted) resolve();
    else interrupted.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** The built dashboard, or undefined where it has not been built. */
export function dashboardFolder(): string | undefined {
  const folder = join(dirname(createRequire(import.meta.url).resolve("@sedge/web/package.json")), "dist");
  return existsSync(join(folder, "index.html")) ? folder : undefined;
}
