import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import type { Context, Handler } from "hono";
import { ApiError } from "./errors.js";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".onnx": "application/octet-stream",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

/**
 * The dashboard's files. A path without an extension is a page of that name, as `/playground` is, or else a view of the
 * dashboard, which gets `index.html`. Files under `assets/` carry a hash of their contents in their name and are cached for good; all others
 * are asked about each time, by ETag.
 */
export function staticFiles(webRoot: string): Handler {
  const tags = new Map<string, { version: string; tag: string }>();

  const send = async (c: Context, file: string, cacheable: boolean): Promise<Response> => {
    const { mtimeMs, size } = await stat(file);
    const body = await readFile(file);
    const version = `${mtimeMs}-${size}`;
    let known = tags.get(file);
    if (known?.version !== version) {
      known = { version, tag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"` };
      tags.set(file, known);
    }
    c.header("ETag", known.tag);
    c.header("Cache-Control", cacheable ? "public, max-age=31536000, immutable" : "no-cache");
    if (matchesTag(c.req.header("if-none-match"), known.tag)) return c.body(null, 304);
    c.header("Content-Type", types[extname(file).toLowerCase()] ?? "application/octet-stream");
    return c.body(new Uint8Array(body));
  };

  return async (c) => {
    const root = await realpath(webRoot).catch(() => null);
    const index = root && (await findInside(root, "/index.html"));
    if (root === null || index === null) {
      const message = "The dashboard has not been built: run npm run build. The API is at /api/v1/health.";
      throw new ApiError(404, "no-dashboard", message);
    }
    const path = decodePath(c.req.path);
    const file = await findInside(root, path === "/" ? "/index.html" : path);
    if (file !== null) return send(c, file, path.startsWith("/assets/"));
    if (extname(path) === "") return send(c, (await findInside(root, `${path}.html`)) ?? index, false);
    throw new ApiError(404, "not-found", `There is no file ${path}.`);
  };
}

/** If-None-Match: a list of tags, weak ones counting as strong, or `*`. */
export function matchesTag(header: string | undefined, tag: string): boolean {
  const plain = (one: string) => one.trim().replace(/^W\//, "");
  return header !== undefined && (header.trim() === "*" || header.split(",").some((one) => plain(one) === plain(tag)));
}

/** @throws ApiError for a path that means one thing to a URL and another to a file system. */
function decodePath(encoded: string): string {
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    throw new ApiError(400, "bad-request", "The path is not valid percent-encoding.");
  }
  const parts = path.split("/");
  // eslint-disable-next-line no-control-regex -- control characters are what it is to find
  if (/[\\\u0000-\u001f]/.test(path) || parts.some((part) => part.startsWith("."))) {
    throw new ApiError(404, "not-found", "There is no such file.");
  }
  return path;
}

/** The file of a path, if it really is one and lies in `root`, links followed. */
async function findInside(root: string, path: string): Promise<string | null> {
  try {
    const file = await realpath(join(root, path));
    return file.startsWith(root + sep) && (await stat(file)).isFile() ? file : null;
  } catch {
    return null;
  }
}
