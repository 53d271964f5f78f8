import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { testStore } from "../testing/events.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { createApp } from "./app.js";
import { matchesTag } from "./static-files.js";

function dashboard() {
  const folder = temporaryFolder();
  const webRoot = join(folder, "dist");
  mkdirSync(join(webRoot, "assets"), { recursive: true });
  writeFileSync(join(webRoot, "index.html"), "<title>Sedge</title>");
  writeFileSync(join(webRoot, "playground.html"), "<title>Playground</title>");
  writeFileSync(join(webRoot, "assets", "main-1a2b.js"), "export {};");
  writeFileSync(join(webRoot, "assets", "ort.wasm"), "wasm");
  writeFileSync(join(webRoot, ".secret"), "hidden");
  writeFileSync(join(folder, "secret.txt"), "outside");
  symlinkSync(join(folder, "secret.txt"), join(webRoot, "link.txt"));
  symlinkSync(folder, join(webRoot, "up"));
  symlinkSync(join(webRoot, "assets", "main-1a2b.js"), join(webRoot, "inside.js"));
  return { webRoot, app: createApp(testStore(), { webRoot }) };
}

test.each([
  ["/", "text/html; charset=utf-8", "<title>Sedge</title>"],
  ["/index.html", "text/html; charset=utf-8", "<title>Sedge</title>"],
  ["/playground", "text/html; charset=utf-8", "<title>Playground</title>"],
  ["/runs/abc", "text/html; charset=utf-8", "<title>Sedge</title>"], // a view of the dashboard
  ["/assets", "text/html; charset=utf-8", "<title>Sedge</title>"],
  ["/assets/main-1a2b.js?x=1", "text/javascript; charset=utf-8", "export {};"],
  ["/assets/ort.wasm", "application/wasm", "wasm"],
  ["/inside.js", "text/javascript; charset=utf-8", "export {};"],
])("%s is served as %s", async (path, type, body) => {
  const response = await dashboard().app.request(path);
  expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([200, type, body]);
  expect(response.headers.get("content-security-policy")).toContain("default-src 'self'");
});

describe("nothing outside the folder, and nothing hidden in it, can be had", () => {
  test.each([
    "/link.txt",
    "/up/secret.txt",
    "/.secret",
    "/assets/../.secret",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/assets/..%2f..%2f..%2fsecret.txt",
    "/%2e%2e%2fsecret.txt",
    "/..%5csecret.txt",
    "/index.html%00.txt",
    "/%c0%ae%c0%ae/secret.txt",
    "//etc/passwd.txt",
    "/missing.js",
  ])("%s", async (path) => {
    const response = await dashboard().app.request(`http://localhost${path}`);
    expect([400, 404]).toContain(response.status);
    expect(Object.keys((await response.json()) as object).sort()).toEqual(["code", "message"]);
  });
});

test("hashed files are kept for good, others asked about, and an unchanged file is not sent again", async () => {
  const { app, webRoot } = dashboard();
  expect((await app.request("/assets/main-1a2b.js")).headers.get("cache-control")).toBe(
    "public, max-age=31536000, immutable",
  );
  const first = await app.request("/");
  expect(first.headers.get("cache-control")).toBe("no-cache");
  const tag = first.headers.get("etag")!;
  const again = await app.request("/", { headers: { "If-None-Match": tag } });
  expect([again.status, await again.text()]).toEqual([304, ""]);
  writeFileSync(join(webRoot, "index.html"), "<title>Sedge, rebuilt</title>");
  expect(await (await app.request("/", { headers: { "If-None-Match": tag } })).text()).toBe(
    "<title>Sedge, rebuilt</title>",
  );
});

test("a dashboard that has not been built says what to run; the API works all the same", async () => {
  const app = createApp(testStore(), { webRoot: join(temporaryFolder(), "dist") });
  const response = await app.request("/");
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({
    code: "no-dashboard",
    message: expect.stringContaining("npm run build") as string,
  });
  expect((await app.request("/api/v1/health")).status).toBe(200);
});

test("the API is not shadowed by files or views", async () => {
  const response = await dashboard().app.request("/api/v1/missing");
  expect([response.status, response.headers.get("content-type")]).toEqual([404, "application/json"]);
});

test.each([
  ['"a"', '"a"', true],
  ['W/"a"', '"a"', true],
  ['"b", W/"a"', 'W/"a"', true],
  ["*", '"a"', true],
  ['"b"', '"a"', false],
  [undefined, '"a"', false],
])("If-None-Match %s against %s: %s", (header, tag, expected) => {
  expect(matchesTag(header, tag)).toBe(expected);
});
