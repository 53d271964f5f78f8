import { describe, expect, test } from "vitest";
import { testStore } from "../testing/events.js";
import { createApp } from "./app.js";

const status = async (headers: Record<string, string>, init: RequestInit = {}) => {
  const response = await createApp(testStore()).request("/api/v1/health", { ...init, headers });
  return response.status === 200 ? "served" : ((await response.json()) as { code: string }).code;
};

describe("only requests addressed to this machine by name are served", () => {
  test.each([
    ["localhost:8080", "served"],
    ["LOCALHOST", "served"],
    ["127.0.0.1:4000", "served"],
    ["[::1]:4000", "served"],
    ["evil.example", "host-not-allowed"],
    ["evil.example:8080", "host-not-allowed"],
    ["localhost.evil.example", "host-not-allowed"],
    ["localhost:80@evil.example", "host-not-allowed"],
    ["evil.example/localhost", "host-not-allowed"],
    ["127.0.0.1.evil.example", "host-not-allowed"],
    ["0.0.0.0:8080", "host-not-allowed"],
    ["", "host-not-allowed"],
  ])("Host %j: %s", async (host, expected) => {
    expect(await status({ host })).toBe(expected);
  });
});

describe("requests that a page of another origin makes are refused", () => {
  test.each([
    ["http://localhost:8080", "served"],
    ["http://localhost:3000", "origin-not-allowed"],
    ["https://evil.example", "origin-not-allowed"],
    ["http://127.0.0.1:8080", "origin-not-allowed"],
    ["null", "origin-not-allowed"],
    ["", "origin-not-allowed"],
  ])("Origin %j: %s", async (origin, expected) => {
    expect(await status({ host: "localhost:8080", origin })).toBe(expected);
  });

  test.each([
    ["same-origin", "cors", "GET", "served"],
    ["none", "navigate", "GET", "served"],
    ["cross-site", "navigate", "GET", "served"], // somebody followed a link
    ["cross-site", "no-cors", "GET", "origin-not-allowed"],
    ["same-site", "cors", "GET", "origin-not-allowed"],
    ["cross-site", "navigate", "POST", "origin-not-allowed"], // a form
  ])("Sec-Fetch-Site %s, mode %s, %s: %s", async (site, mode, method, expected) => {
    expect(await status({ host: "localhost", "sec-fetch-site": site, "sec-fetch-mode": mode }, { method })).toBe(
      expected,
    );
  });
});

test("further host names can be allowed", async () => {
  const app = createApp(testStore(), { allowedHosts: ["lab.example"] });
  expect((await app.request("/api/v1/health", { headers: { host: "lab.example:8080" } })).status).toBe(200);
  expect((await app.request("/api/v1/health", { headers: { host: "localhost" } })).status).toBe(403);
});

test("answers carry the headers that keep a page to itself, and none that open it to others", async () => {
  const { headers } = await createApp(testStore()).request("/api/v1/health");
  const policy = headers.get("content-security-policy")!.split("; ");
  expect(policy).toContain("default-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy.find((rule) => rule.startsWith("script-src"))).not.toContain("unsafe-inline");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
  expect(headers.get("access-control-allow-origin")).toBeNull();
});
