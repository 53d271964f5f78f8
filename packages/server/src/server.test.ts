import { Server } from "node:http";
import { createServer, connect } from "node:net";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createToken } from "./api/token.js";
import { ServerError } from "./errors.js";
import { startServer, type ServerOptions } from "./server.js";
import { openStore } from "./store/store.js";
import { Child, compiledSources } from "./testing/children.js";
import { metrics, runFinished, runStarted, testStore } from "./testing/events.js";
import { SseReader } from "./testing/sse.js";
import { temporaryFolder } from "./testing/temporary-folder.js";

const sources = compiledSources();

async function testServer(options: Partial<ServerOptions> = {}) {
  const server = await startServer({ store: options.store ?? testStore(), port: 0, ...options });
  onTestFinished(() => server.close());
  return server;
}

async function stream(url: string, lastEventId?: string): Promise<SseReader> {
  const headers = new Headers(lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId });
  return new SseReader(await fetch(`${url}/api/v1/events`, { headers }));
}

/** Sends bytes as they are: `fetch` would tidy the path and set Host itself. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    let text = "";
    socket.on("data", (data) => (text += data.toString()));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}

async function failure(options: ServerOptions): Promise<ServerError> {
  try {
    const server = await startServer(options);
    await server.close();
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
  throw new Error("expected a ServerError");
}

describe("starting", () => {
  test("serves the API at its address", async () => {
    const server = await testServer();
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    const response = await fetch(`${server.url}/api/v1/health`);
    expect([response.status, ((await response.json()) as { status: string }).status]).toEqual([200, "ok"]);
  });

  test("a busy port is named, with what to do", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const error = await failure({ store: testStore(), port });
    expect(error.code).toBe("port-in-use");
    expect(error.message).toBe(
      `Port ${port} on 127.0.0.1 is in use. Stop the program that has it, or take another with --port (0 for any free one).`,
    );
  });

  test.each([-1, 65_536, 1.5, NaN])("port %d is refused", async (port) => {
    expect((await failure({ store: testStore(), port })).code).toBe("bad-port");
  });

  test.each(["0.0.0.0", "::", "192.168.1.5", "example.com"])("address %s needs a token", async (host) => {
    const error = await failure({ store: testStore(), port: 0, host });
    expect(error.code).toBe("token-required");
    expect(error.message).toBe(
      `host: others can reach ${host}, so a token is needed (--token). Without one: 127.0.0.1, ::1 or localhost.`,
    );
  });

  test("a short token is refused", async () => {
    const error = await failure({ store: testStore(), port: 0, host: "0.0.0.0", token: "secret" });
    expect(error.message).toBe("token: expected at least 16 characters, got 6.");
  });

  test("an address that is not this machine's is refused", async () => {
    expect((await failure({ store: testStore(), port: 0, host: "192.0.2.1", token: createToken() })).code).toBe(
      "host-unavailable",
    );
  });

  test("with a token it serves all addresses, and gives a link that lets a person in", async () => {
    const token = createToken();
    const server = await testServer({ host: "0.0.0.0", token });
    expect(server.link).toBe(`${server.url}/?token=${token}`);
    expect(new URL(server.url).hostname).not.toBe("0.0.0.0");
    const health = `http://127.0.0.1:${server.port}/api/v1/health`;
    expect((await fetch(health)).status).toBe(401);
    expect((await fetch(health, { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200);
    const visit = await fetch(`http://127.0.0.1:${server.port}/?token=${token}`, { redirect: "manual" });
    const cookie = visit.headers.get("set-cookie")!.split(";")[0]!;
    const events = new SseReader(await fetch(`http://127.0.0.1:${server.port}/api/v1/events`, { headers: { cookie } }));
    await events.until(() => events.of("hello").length === 1);
    await events.close();
  });

  test("nobody else's address reaches it", async () => {
    const server = await testServer({ host: "127.0.0.2" });
    expect(server.url).toBe(`http://127.0.0.2:${server.port}`);
    expect((await fetch(`${server.url}/api/v1/health`)).status).toBe(200);
    await expect(fetch(`http://127.0.0.1:${server.port}/api/v1/health`)).rejects.toThrow();
  });
});

describe("over a real socket", () => {
  test("a foreign Host is refused", async () => {
    const { port } = await testServer();
    const answer = await raw(port, "GET /api/v1/health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain("host-not-allowed");
  });

  test.each([
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/assets/../../secret.txt",
    "//secret.txt",
    "/./../secret.txt",
  ])("%s does not leave the folder", async (path) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "dist"));
    writeFileSync(join(folder, "dist", "index.html"), "<title>Sedge</title>");
    writeFileSync(join(folder, "secret.txt"), "outside");
    const { port } = await testServer({ webRoot: join(folder, "dist") });
    const answer = await raw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer).not.toContain("outside");
  });

  test("a malformed request does not harm the next", async () => {
    const server = await testServer();
    await raw(server.port, "GARBAGE\r\n\r\n");
    await raw(server.port, "GET http://[ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    expect((await fetch(`${server.url}/api/v1/health`)).status).toBe(200);
  });
});

test("what is being posted when the server stops is answered, and stored", async () => {
  const store = testStore();
  const server = await testServer({ store });
  const post = (path: string, body: object) =>
    fetch(`${server.url}/api/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  await post("runs", { id: "a" });
  const posts = Array.from({ length: 20 }, (_, step) =>
    post("runs/a/metrics?sender=" + step, { sequence: 1, step, values: { x: step } }),
  );
  await Promise.race(posts);
  const [answers] = await Promise.all([Promise.allSettled(posts), server.close()]);
  const taken = answers.filter((one) => one.status === "fulfilled" && one.value.status === 200).length;
  expect(taken).toBeGreaterThan(0);
  // At least what was acknowledged; the store belongs to whoever opened it and is still open.
  expect(store.metrics("a").series.x!.steps.length).toBeGreaterThanOrEqual(taken);
  expect(store.run("a").status).toBe("running");
  store.close();
  expect(testStore(store.folder).run("a").status).toBe("interrupted");
});

describe("the live stream", () => {
  test("brings what another process writes, and that it was killed", async () => {
    const folder = temporaryFolder();
    const { url } = await testServer({ store: testStore(folder) });
    const events = await stream(url);
    const child = new Child(sources);
    await child.tell({ do: "open", folder });
    await child.tell({ do: "append", events: [runStarted("a")] });
    await child.tell({ do: "append", events: [metrics("a", 1, { loss: 1 })] });
    await events.until(() => events.of("metrics").length === 1); // README.md has the time it takes
    await child.kill();
    await events.until(() =>
      events.of("run").some(({ data }) => (data as { status: string }).status === "interrupted"),
    );
    await events.close();
  });

  test("a client that comes back after a restart of the server misses nothing and hears nothing twice", async () => {
    const folder = temporaryFolder();
    const child = new Child(sources);
    await child.tell({ do: "open", folder });
    await child.tell({ do: "append", events: [runStarted("a")] });
    let store = openStore(folder);
    let server = await startServer({ store, port: 0 });
    const { port } = server;
    let lastEventId: string | undefined;
    const steps: number[] = [];
    const ids: number[] = [];
    child.send({ do: "flood", runId: "a" });
    for (let round = 0; round < 4; round++) {
      const events = await stream(server.url, lastEventId);
      await events.until(() => events.of("metrics").length > 100);
      await server.close();
      store.close();
      await events.ended;
      for (const { id, event, data } of events.messages) {
        if (id !== undefined && event !== "hello") ids.push(Number(id));
        if (event === "metrics") steps.push((data as { step: number }).step);
      }
      lastEventId = events.lastEventId;
      await sleep(100); // the child goes on writing
      store = openStore(folder);
      server = await startServer({ store, port });
    }
    await child.kill();
    await server.close();
    store.close();
    expect(ids).toEqual(Array.from(ids, (_, i) => ids[0]! + i));
    expect(steps).toEqual(Array.from(steps, (_, i) => steps[0]! + i));
    expect(steps.length).toBeGreaterThan(400);
  });

  test("many streams all get everything, and a slow reader holds nobody up", async () => {
    const store = testStore();
    const { url } = await testServer({ store });
    const lazy = await fetch(`${url}/api/v1/events`); // never read
    const streams = await Promise.all(Array.from({ length: 20 }, () => stream(url)));
    store.append(runStarted("a"));
    for (let step = 1; step <= 3000; step++) store.append(metrics("a", step, { loss: step, sharpness: step / 7 }));
    store.append(runFinished("a"));
    await Promise.all(streams.map((one) => one.until(() => one.of("metrics").length === 3000)));
    for (const one of streams) {
      expect(one.of("metrics").map(({ data }) => (data as { step: number }).step)).toEqual(
        Array.from({ length: 3000 }, (_, i) => i + 1),
      );
      await one.close();
    }
    await lazy.body!.cancel();
  });
});

describe("closing", () => {
  test("ends open streams, frees the port, and may be asked twice", async () => {
    const store = testStore();
    const server = await startServer({ store, port: 0 });
    const events = await stream(server.url);
    await events.until(() => events.of("hello").length === 1);
    const cutOff = vi.spyOn(Server.prototype, "closeAllConnections");
    await Promise.all([server.close(), server.close()]);
    await events.ended;
    expect(cutOff).not.toHaveBeenCalled(); // which it does to those that will not end
    const again = await startServer({ store, port: server.port });
    await again.close();
  });
});

test("every answer over a socket has the security headers, and a body is refused by the length it states", async () => {
  const { url, port } = await testServer();
  for (const path of ["/api/v1/health", "/api/v1/runs/none", "/nothing"]) {
    const { headers } = await fetch(url + path);
    expect(headers.get("content-security-policy"), path).toContain("default-src 'self'");
    expect(headers.get("x-content-type-options"), path).toBe("nosniff");
  }
  const head = `POST /api/v1/runs HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nConnection: close\r\n`;
  const stated = await raw(port, `${head}Content-Length: 999999\r\n\r\n`);
  expect(stated).toMatch(/^HTTP\/1\.1 413[^]*"code":"too-large"/);
  // Sent in chunks, without a length, it is counted.
  const chunk = "a".repeat(70_000);
  const counted = await raw(
    port,
    `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`,
  );
  expect(counted).toMatch(/^HTTP\/1\.1 413[^]*"code":"too-large"/);
});
