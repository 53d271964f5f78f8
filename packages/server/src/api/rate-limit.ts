import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context, MiddlewareHandler } from "hono";
import { ApiError } from "./errors.js";

/** A bucket for each address: `burst` requests at once, refilled by `perSecond`. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** Far above what trainers send, far below what would starve the others. */
export const defaultRateLimit: RateLimit = { perSecond: 5000, burst: 10_000 };
/** Requests without the right token. */
const guessLimit: RateLimit = { perSecond: 2, burst: 20 };
/** Addresses remembered. Beyond it, those whose buckets are full are forgotten. */
const mostAddresses = 10_000;

class Buckets {
  readonly #limit: RateLimit;
  readonly #left = new Map<string, { tokens: number; at: number }>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Whether there is one left for the address, after taking `count`. */
  take(address: string, count: number): boolean {
    const now = performance.now();
    const { tokens, at } = this.#left.get(address) ?? { tokens: this.#limit.burst, at: now };
    const there = Math.min(this.#limit.burst, tokens + ((now - at) / 1000) * this.#limit.perSecond);
    const allowed = there >= 1;
    this.#left.set(address, { tokens: allowed ? there - count : there, at: now });
    if (this.#left.size > mostAddresses) this.#forget(now);
    return allowed;
  }

  #forget(now: number): void {
    const { perSecond, burst } = this.#limit;
    for (const [address, { tokens, at }] of this.#left) {
      if (tokens + ((now - at) / 1000) * perSecond >= burst) this.#left.delete(address);
    }
    // More busy addresses than can be told apart: all start anew.
    if (this.#left.size > mostAddresses) this.#left.clear();
  }
}

/** Refuses with 429 what comes faster than the limit, from one address. */
export function rateLimited(limit: RateLimit): MiddlewareHandler {
  const buckets = new Buckets(limit);
  return async (c, next) => {
    if (!buckets.take(addressOf(c), 1)) {
      throw new ApiError(429, "rate-limited", `More than ${limit.perSecond} requests a second. Put more into each.`);
    }
    await next();
  };
}

/** Refuses an address that keeps sending wrong tokens. Goes before `tokenRequired`. */
export function guessesLimited(): MiddlewareHandler {
  const buckets = new Buckets(guessLimit);
  return async (c, next) => {
    if (!buckets.take(addressOf(c), 0)) {
      throw new ApiError(429, "rate-limited", "Too many requests without the right token. Wait a few seconds.");
    }
    await next();
    if (c.res.status === 401) buckets.take(addressOf(c), 1);
  };
}

/** Requests that tests make without a socket have no address. */
function addressOf(c: Context): string {
  return (c.env as object | undefined) === undefined || !("incoming" in (c.env as object))
    ? ""
    : (getConnInfo(c).remote.address ?? "");
}
