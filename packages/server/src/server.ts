import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { networkInterfaces } from "node:os";
import { createAdaptorServer } from "@hono/node-server";
import { createApp, type AppOptions } from "./api/app.js";
import { loopbackHosts } from "./api/security.js";
import { shortestToken } from "./api/token.js";
import { ServerError } from "./errors.js";
import type { RunStore } from "./store/store.js";

export interface ServerOptions extends Omit<AppOptions, "signal"> {
  readonly store: RunStore;
  /** 0 takes a free one. */
  readonly port: number;
  /** Address to listen on. One that others can reach needs a `token`. Default 127.0.0.1. */
  readonly host?: string;
}

export interface RunningServer {
  /** Where programs find it, without a slash at the end. */
  readonly url: string;
  /** What a person opens in a browser: `url`, with the token where one is wanted. */
  readonly link: string;
  readonly port: number;
  /** Ends open streams, lets requests under way finish for at most two seconds, and frees the port. */
  close(): Promise<void>;
}

const graceful = 2000;
const keepAlive = 65_000;

/**
 * Serves a store's API and dashboard.
 *
 * @throws ServerError `bad-port`, `port-in-use`, `port-forbidden`, `host-unavailable`, `token-required`.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { store, port, host = "127.0.0.1", ...appOptions } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ServerError("bad-port", `port: expected an integer from 0 to 65535 (0 takes a free one), got ${port}.`);
  }
  const { token } = options;
  if (token === undefined ? !isLoopback(host) : token.length < shortestToken) {
    throw new ServerError(
      "token-required",
      token === undefined
        ? `host: others can reach ${host}, so a token is needed (--token). Without one: 127.0.0.1, ::1 or localhost.`
        : `token: expected at least ${shortestToken} characters, got ${token.length}.`,
    );
  }
  const stopping = new AbortController();
  const named = token === undefined ? { allowedHosts: [...new Set([...loopbackHosts, host])] } : {};
  const app = createApp(store, { ...named, ...appOptions, signal: stopping.signal });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  // Node's five seconds are shorter than many a training step, and a trainer that posts as they end finds its connection cut.
  server.keepAliveTimeout = keepAlive;
  await listen(server, port, host);
  const { port: actualPort } = server.address() as AddressInfo;
  let closed: Promise<void> | null = null;
  const url = `http://${reachable(host)}:${actualPort}`;
  return {
    url,
    link: token === undefined ? url : `${url}/?token=${encodeURIComponent(token)}`,
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

/** The host of a URL that leads here. An address that stands for all of this machine's is none that one can go to. */
function reachable(host: string): string {
  const wildcard = host === "0.0.0.0" || host === "::";
  const address = wildcard
    ? (Object.values(networkInterfaces())
        .flatMap((one) => one ?? [])
        .find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1")
    : host;
  return address.includes(":") ? `[${address}]` : address;
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
