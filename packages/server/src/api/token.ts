import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { ApiError } from "./errors.js";

const cookieName = "sedge-token";
/** Characters. A random token has 32; one that a person chose should not be guessable either. */
export const shortestToken = 16;

export function createToken(): string {
  return randomBytes(24).toString("base64url");
}

/**
 * Lets in who has the token: programs as `Authorization: Bearer …`, a person by opening any page with `?token=…` once.
 * That turns it into a cookie, which the browser then sends along (an event stream could send nothing else), and
 * takes it out of the address, where it would be seen and bookmarked.
 */
export function tokenRequired(token: string): MiddlewareHandler {
  // Digests are of one length, so comparing them tells nothing about the token, not even its length.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(token);
  const fits = (given: string | undefined) => given !== undefined && timingSafeEqual(digest(given), expected);

  return async (c, next) => {
    const bearer = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (fits(bearer) || fits(getCookie(c, cookieName))) return next();
    if (c.req.method === "GET" && fits(c.req.query("token"))) {
      setCookie(c, cookieName, token, { httpOnly: true, sameSite: "Strict", path: "/" });
      const url = new URL(c.req.url);
      url.searchParams.delete("token");
      c.header("Cache-Control", "no-store");
      return c.redirect(`${url.pathname.replace(/^\/+/, "/")}${url.search}`, 303);
    }
    c.header("WWW-Authenticate", "Bearer");
    throw new ApiError(
      401,
      "token-required",
      "This server wants its token: open the address it printed when it started.",
    );
  };
}
