import { expect, test } from "vitest";
import { testStore } from "../testing/events.js";
import { createApp } from "./app.js";
import { createToken } from "./token.js";

const token = createToken();
const app = () => createApp(testStore(), { token });

test("tokens are long and never the same", () => {
  const tokens = Array.from({ length: 100 }, createToken);
  expect(new Set(tokens).size).toBe(100);
  expect(tokens.every((one) => /^[\w-]{32}$/.test(one))).toBe(true);
});

test.each([
  ["nothing", {}, 401],
  ["the token", { authorization: `Bearer ${token}` }, 200],
  ["another token", { authorization: `Bearer ${createToken()}` }, 401],
  ["the beginning of the token", { authorization: `Bearer ${token.slice(0, -1)}` }, 401],
  ["more than the token", { authorization: `Bearer ${token}x` }, 401],
  ["the token under another scheme", { authorization: `Basic ${token}` }, 401],
  ["its cookie", { cookie: `other=1; sedge-token=${token}` }, 200],
  ["another cookie", { cookie: "sedge-token=guess" }, 401],
])("with %s", async (_what, headers, status) => {
  for (const path of ["/api/v1/health", "/api/v1/runs"]) {
    const response = await app().request(path, { headers: headers as unknown as Record<string, string> });
    expect(response.status).toBe(status);
    if (status === 401) expect(await response.json()).toMatchObject({ code: "token-required" });
  }
});

test("a person's first visit leaves a cookie that scripts and other sites cannot use, and a clean address", async () => {
  const server = app();
  const first = await server.request(`/runs/abc?view=loss&token=${token}`);
  expect([first.status, first.headers.get("location")]).toEqual([303, "/runs/abc?view=loss"]);
  const cookie = first.headers.get("set-cookie")!;
  expect(cookie).toMatch(/; HttpOnly/);
  expect(cookie).toMatch(/; SameSite=Strict/);
  const second = await server.request("/api/v1/health", { headers: { cookie: cookie.split(";")[0]! } });
  expect(second.status).toBe(200);
});

test("the address after a first visit stays on this server, whatever the path looks like", async () => {
  const response = await app().request(`http://localhost//evil.example/?token=${token}`);
  expect(response.headers.get("location")).toBe("/evil.example/");
});

test("a wrong token in the address gives no cookie", async () => {
  const response = await app().request(`/?token=${createToken()}`);
  expect([response.status, response.headers.get("set-cookie")]).toEqual([401, null]);
});

test("with a token any name of the machine is good, for a foreign page has no cookie; its origin is still refused", async () => {
  const headers = { host: "lab-7.example:8080", authorization: `Bearer ${token}` };
  expect((await app().request("/api/v1/health", { headers })).status).toBe(200);
  const foreign = { ...headers, origin: "http://evil.example" };
  expect((await app().request("/api/v1/health", { headers: foreign })).status).toBe(403);
});
