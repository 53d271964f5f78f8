import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { createApp, type AppOptions } from "./api/app.js";
import { loopbackHosts } from "./api/security.js";
import { ServerError } from "./errors.js";
import type { RunStore } from "./store/store.js";

export interface ServerOptions extends Omit<AppOptions, "signal"> {
  readonly store: RunStore;
  /** 0 takes a free one. */
  readonly port: number;
  /** Address to listen on. Only this machine's own are allowed. Default 127.0.0.1. */
  readonly host?: string;
}

export interface RunningServer {
  /** Where a browser finds it, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Ends open streams, lets requests under way finish for at most two seconds, and frees the port. */
  close(): Promise<void>;
}

const graceful = 2000;

/**
 * Serves a store's API and dashboard.
 *
 * @throws ServerError `bad-port`, `port-in-use`, `port-forbidden`, `host-unavailable`.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { store, port, host = "127.0.0.1", ...appOptions } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ServerError("bad-port", `port: expected an integer from 0 to 65535 (0 takes a free one), got ${port}.`);
  }
  if (!isLoopback(host)) {
    throw new ServerError(
      "host-unavailable",
      `host: the server answers this machine only; expected 127.0.0.1, ::1 or localhost, got ${host}.`,
    );
  }
  const stopping = new AbortController();
  const allowedHosts = appOptions.allowedHosts ?? [...new Set([...loopbackHosts, host])];
  const app = createApp(store, { ...appOptions, allowedHosts, signal: stopping.signal });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await listen(server, port, host);
  const { port: actualPort } = server.address() as AddressInfo;
  let closed: Promise<void> | null = null;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actualPort}`,
    port: actualPort,
    close() {
      closed ??= new Promise((resolve) => {
        stopping.abort();
        // A connection whose stream has just ended is idle only a moment later, and would be kept for its client.
        const sweep = setInterval(() => server.closeIdleConnections(), 10);
        const impatience = setTimeout(() => server.closeAllConnections(), graceful);
        server.close(() => {
          clearInterval(sweep);
          clearTimeout(impatience);
          resolve();
        });
      });
      return closed;
    },
  };
}

function isLoopback(host: string): boolean {
  return loopbackHosts.includes(host) || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, port, host)));
    server.listen(port, host, resolve);
  });
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): ServerError {
  const cause = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new ServerError(
        "port-in-use",
        `Port ${port} on ${host} is in use. Stop the program that has it, or take another with --port (0 for any free one).`,
        cause,
      );
    case "EACCES":
      return new ServerError(
        "port-forbidden",
        `Port ${port} on ${host} is not allowed to this user. Take one above 1023 with --port.`,
        cause,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new ServerError("host-unavailable", `Address ${host} is not one of this machine's.`, cause);
    default:
      return new ServerError("server-failed", `Cannot listen on ${host}:${port}: ${error.message}.`, cause);
  }
}
