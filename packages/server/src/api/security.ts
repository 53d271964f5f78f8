import type { ServerResponse } from "node:http";
import type { MiddlewareHandler } from "hono";
import { ApiError } from "./errors.js";

/** Names under which a browser on this machine reaches the server. */
export const loopbackHosts: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/**
 * What the dashboard needs and no more: its own files; inline styles, which the charts set; WebAssembly and workers,
 * in which the playground trains; images that it draws itself.
 */
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const headers: readonly (readonly [string, string])[] = [
  ["Content-Security-Policy", contentSecurityPolicy],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Referrer-Policy", "no-referrer"],
  // Together these isolate the page, which gives the playground threads.
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Embedder-Policy", "require-corp"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Permissions-Policy", "camera=(), geolocation=(), microphone=()"],
];

export function securityHeaders(): MiddlewareHandler {
  return (c, next) => {
    const { outgoing } = (c.env ?? {}) as { readonly outgoing?: ServerResponse };
    // Straight into Node's answer where there is a socket: as headers of a web response they would cost a fifth of a request.
    for (const [name, value] of headers) {
      if (outgoing === undefined) c.header(name, value);
      else outgoing.setHeader(name, value);
    }
    return next();
  };
}

function parseHost(host: string): URL | null {
  // A Host header with anything but a name and a port would mean something else inside a URL.
  return /^[^/\\?#@\s]+$/.test(host) && URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : null;
}

/**
 * Refuses requests that a page of another site had a browser make.
 *
 * A foreign name that resolves to 127.0.0.1 (DNS rebinding) makes a foreign page same-origin with the server, and only
 * the Host header still shows it. A page that calls us by our own name shows in Origin and Sec-Fetch-Site; without CORS
 * headers it could not read the answer, but a request may also act.
 *
 * @param allowedHosts  Names without ports; null for any, where something else keeps foreign pages out.
 */
export function ownPagesOnly(allowedHosts: readonly string[] | null): MiddlewareHandler {
  const allowed = allowedHosts && new Set(allowedHosts.map((host) => host.toLowerCase()));
  return async (c, next) => {
    const given = c.req.header("host") ?? new URL(c.req.url).host;
    const host = parseHost(given);
    if (host === null || allowed?.has(host.hostname) === false) {
      const expected = allowedHosts === null ? "" : `; expected ${allowedHosts.join(", ")}`;
      const message = `Host ${JSON.stringify(given)} is not a name of this server${expected}.`;
      throw new ApiError(403, "host-not-allowed", message);
    }
    const origin = c.req.header("origin");
    if (origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host.host)) {
      throw new ApiError(403, "origin-not-allowed", `Requests from pages of ${JSON.stringify(origin)} are refused.`);
    }
    const site = c.req.header("sec-fetch-site");
    const followsLink = c.req.header("sec-fetch-mode") === "navigate" && c.req.method === "GET";
    if (site !== undefined && site !== "same-origin" && site !== "none" && !followsLink) {
      throw new ApiError(403, "origin-not-allowed", "Requests from pages of other sites are refused.");
    }
    await next();
  };
}
