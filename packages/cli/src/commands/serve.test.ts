import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryIo, type MemoryIo } from "../memory-io.js";
import { run } from "../program.js";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-serve-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Starts `sedge serve`, waits for its address, hands it over, and ends it as Ctrl-C would. */
async function serving(argv: string[], visit: (url: string, io: MemoryIo) => Promise<void>): Promise<number> {
  const io = memoryIo();
  const ended = run(["serve", "--store", folder, ...argv], io);
  await vi.waitFor(() => expect(io.stdout).toMatch(/http/), 10_000);
  try {
    await visit(/http:\S+/.exec(io.stdout)![0], io);
  } finally {
    io.interrupt();
  }
  return ended;
}

async function occupied(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

describe("sedge serve", () => {
  test("answers until Ctrl-C and then frees the port", async () => {
    let address = "";
    const code = await serving(["--port", "0"], async (url) => {
      address = url;
      const answer = await fetch(`${url}/api/v1/health`);
      expect(await answer.json()).toMatchObject({ status: "ok" });
    });
    expect(code).toBe(0);
    await expect(fetch(`${address}/api/v1/health`)).rejects.toThrow();
  });

  test("a TensorBoard log directory becomes runs while it is served", async () => {
    const logs = join(folder, "logs", "first");
    mkdirSync(logs, { recursive: true });
    const fixtures = new URL("../../../server/src/ingest/tensorboard/fixtures/", import.meta.url);
    const name = "events.out.tfevents.1700000000.torch";
    copyFileSync(new URL(name, fixtures), join(logs, name));
    const code = await serving(["--port", "0", "--tensorboard", join(folder, "logs")], async (url) => {
      await vi.waitFor(async () => {
        const answer = (await (await fetch(`${url}/api/v1/runs`)).json()) as { runs: { name: string; step: number }[] };
        expect(answer.runs.map((one) => one.name)).toEqual(["first"]);
        expect(answer.runs[0]!.step).toBeGreaterThan(0);
      }, 10_000);
    });
    expect(code).toBe(0);
  });

  test("a log directory that is none is bad input", async () => {
    const io = memoryIo();
    expect(await run(["serve", "--store", folder, "--tensorboard", join(folder, "none")], io)).toBe(2);
    expect(io.stderr).toMatch(/^sedge serve: --tensorboard: expected a folder, got "[^\n]*none", which is none\.\n$/);
  });

  test("a busy port that was asked for is bad input", async () => {
    const server = await occupied(0);
    const { port } = server.address() as AddressInfo;
    const io = memoryIo();
    expect(await run(["serve", "--store", folder, "--port", String(port)], io)).toBe(2);
    expect(io.stderr).toMatch(new RegExp(`^sedge serve: Port ${port} on 127\\.0\\.0\\.1 is in use\\.[^\n]*\n$`));
    server.close();
  });

  test("a busy port that nobody asked for is passed over, and that is said", async () => {
    const { defaultPort } = await import("../serving.js");
    // Where somebody else has it already, it is busy all the same.
    const server = await occupied(defaultPort).catch(() => null);
    await serving([], async (url, io) => {
      expect(url).not.toContain(`:${defaultPort}`);
      expect(io.stderr).toMatch(new RegExp(`Port ${defaultPort} is in use by another program; taking \\d+\\.`));
    });
    server?.close();
  });

  test.each<[string[], RegExp]>([
    [["--port", "70000"], /--port: expected a whole number from 0 to 65535 .* got "70000"/],
    [["--port", "http"], /--port: expected .* got "http"/],
    [["--token", "abc"], /token: expected at least \d+ characters, got 3/],
    [["--host", "host.invalid"], /host\.invalid/],
  ])("%j is bad input in one line", async (argv, message) => {
    const io = memoryIo();
    expect(await run(["serve", "--store", folder, ...argv], io)).toBe(2);
    expect(io.stderr).toMatch(message);
    expect(io.stderr.trim().split("\n")).toHaveLength(1);
  });
});
