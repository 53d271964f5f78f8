import { Hono } from "hono";
import { expect, test, vi } from "vitest";
import { testStore } from "../testing/events.js";
import { createApp } from "./app.js";
import { answerError } from "./errors.js";
import { guessesLimited, rateLimited } from "./rate-limit.js";

/** As the socket's address reaches the app. */
const from = (address: string) => ({ incoming: { socket: { remoteAddress: address } } });

test("an address has its burst at once, then as many a second as the limit says; others are not held up", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const app = new Hono();
    app.use(rateLimited({ perSecond: 10, burst: 5 }));
    app.get("/", (c) => c.text("hello"));
    app.onError((error, c) => answerError(error, c, () => undefined));
    const ask = async (address: string) => (await app.request("/", {}, from(address))).status;
    const many = async (count: number, address: string) => {
      const statuses: number[] = [];
      for (let i = 0; i < count; i++) statuses.push(await ask(address));
      return statuses.filter((status) => status === 200).length;
    };
    expect(await many(8, "10.0.0.1")).toBe(5);
    expect(await many(8, "10.0.0.2")).toBe(5);
    vi.advanceTimersByTime(300);
    expect(await many(8, "10.0.0.1")).toBe(3);
    vi.advanceTimersByTime(60_000);
    expect(await many(8, "10.0.0.1")).toBe(5);
    const refused = await app.request("/", {}, from("10.0.0.1"));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await refused.json()).toMatchObject({ code: "rate-limited" });
  } finally {
    vi.useRealTimers();
  }
});

test("who guesses tokens is soon refused before they are looked at; who has it is not", async () => {
  const token = "0123456789abcdef0123456789abcdef";
  const app = createApp(testStore(), { token });
  const ask = async (address: string, bearer: string) =>
    (await app.request("/api/v1/health", { headers: { Authorization: `Bearer ${bearer}` } }, from(address))).status;
  const statuses: number[] = [];
  for (let i = 0; i < 40; i++) statuses.push(await ask("10.0.0.1", `guess ${i}`));
  expect(statuses.slice(0, 20)).toEqual(new Array(20).fill(401));
  expect(statuses.at(-1)).toBe(429);
  expect(await ask("10.0.0.1", token)).toBe(429);
  for (let i = 0; i < 40; i++) expect(await ask("10.0.0.2", token)).toBe(200);
});

test("addresses that come and go do not fill the memory", async () => {
  const app = new Hono();
  app.use(guessesLimited());
  app.get("/", (c) => c.text("hello"));
  for (let i = 0; i < 12_000; i++) {
    const { status } = await app.request("/", {}, from(`10.${i % 256}.${Math.floor(i / 256)}.1`));
    if (status !== 200) expect(status).toBe(200);
  }
});
