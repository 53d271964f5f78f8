import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createRandom } from "@sedge/linalg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BadInput } from "../errors.js";
import { download, DownloadError } from "./download.js";
import { getData } from "./get-data.js";
import { dataSources, type DataSource } from "./sources.js";
import { readTar } from "./tar.js";

const content = Buffer.from(
  Uint8Array.from(createRandom("download").normals(300_000), (x) => Math.abs(x * 1000) & 255),
);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const retry = { attempts: 3, pause: 1, patience: 20_000 };

type Answer = (request: IncomingMessage, response: ServerResponse, from: number) => void;

let folder: string;
let server: Server;
let requests: { url: string; from: number }[];
/** Taken in turn, the last one for good. */
let answers: Answer[];
let served: Buffer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sedge-get-"));
  [requests, answers, served] = [[], [whole], content];
  server = createServer((request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    requests.push({ url: request.url!, from });
    (answers.length > 1 ? answers.shift()! : answers[0]!)(request, response, from);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const url = (name = "file.bin") => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;
const path = () => join(folder, "file.bin");
const get = (options: Partial<Parameters<typeof download>[0]> = {}) =>
  download({ url: url(), path: path(), sha256: sha256(content), size: content.length, ...retry, ...options });

/** A server that knows ranges. */
function whole(_: IncomingMessage, response: ServerResponse, from: number): void {
  const headers = from > 0 ? { "content-range": `bytes ${from}-${served.length - 1}/${served.length}` } : {};
  response.writeHead(from > 0 ? 206 : 200, headers).end(served.subarray(from));
}
/** Sends so many bytes and, once the other side has written them down, drops the connection. */
const dropAfter =
  (bytes: number): Answer =>
  (_, response, from) => {
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": served.length - from,
      ...(from > 0 && { "content-range": `bytes ${from}-${served.length - 1}/${served.length}` }),
    });
    response.write(served.subarray(from, from + bytes));
    const written = () => partsIn(folder).some((part) => statSync(part).size >= from + bytes);
    const timer = setInterval(() => {
      if (!written()) return;
      clearInterval(timer);
      response.destroy();
    }, 2);
    response.on("close", () => clearInterval(timer));
  };
const partsIn = (where: string): string[] =>
  readdirSync(where, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".part"))
    .map((name) => join(where, name));
const status =
  (code: number): Answer =>
  (_, response) =>
    void response.writeHead(code).end();
const silence: Answer = () => undefined;

describe("download", () => {
  test("goes on where dropped connections stopped, and never shows a half file", async () => {
    answers = [dropAfter(70_000), dropAfter(1), dropAfter(90_000), dropAfter(50_000), whole];
    const seen: number[] = [];
    const there: boolean[] = [];
    await get({
      onProgress: ({ received }) => {
        seen.push(received);
        there.push(existsSync(path()));
      },
    });
    expect(readFileSync(path()).equals(content)).toBe(true);
    expect(there.includes(true)).toBe(false);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(content.length);
    // Every later request asks for a later byte: nothing is sent twice.
    const starts = requests.map(({ from }) => from);
    expect(starts.length).toBe(5);
    for (let i = 1; i < starts.length; i++) expect(starts[i]!).toBeGreaterThan(starts[i - 1]!);
    expect(readdirSync(folder)).toEqual(["file.bin"]);
  });

  test("goes on from another process's part, and fetches nothing that is there and right", async () => {
    writeFileSync(`${path()}.part`, content.subarray(0, 120_000));
    await get();
    expect(requests.map(({ from }) => from)).toEqual([120_000]);
    await get();
    expect(requests).toHaveLength(1);
    writeFileSync(path(), content.subarray(0, 10)); // not the file
    await get();
    expect(readFileSync(path()).equals(content)).toBe(true);
  });

  test("takes the whole file from a server without ranges", async () => {
    answers = [dropAfter(70_000), (_, response) => void response.writeHead(200).end(served)];
    await get();
    expect(readFileSync(path()).equals(content)).toBe(true);
  });

  test("throws a file of another digest away, and says so", async () => {
    served = Buffer.from(content);
    served[1000]! ^= 1;
    await expect(get()).rejects.toThrow(/expected SHA-256 .*, got .*\. The file was thrown away/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("tries again while a server is broken, slow or silent, and then gives up, keeping what came", async () => {
    answers = [status(503), status(429), dropAfter(50_000), status(500), status(500), whole];
    await get();
    expect(readFileSync(path()).equals(content)).toBe(true);
    rmSync(path());
    answers = [dropAfter(50_000), silence];
    await expect(get({ patience: 1000 })).rejects.toThrow(
      /nothing was sent for 1000 ms, 3 times; 50000 of 300000 bytes are kept/,
    );
    expect(readdirSync(folder)).toEqual(["file.bin.part"]);
  });

  test("does not insist where a file is not found, too long or nobody answers", async () => {
    answers = [status(404)];
    await expect(get()).rejects.toThrow(/the server answered 404 Not Found/);
    expect(requests).toHaveLength(1);
    answers = [whole];
    await expect(get({ size: 1000 })).rejects.toThrow(/expected 1000 bytes, the server sent more/);
    await expect(get({ url: "http://127.0.0.1:1/file.bin" })).rejects.toThrow(/the connection failed .*, 3 times/);
    await expect(get({ url: "http://127.0.0.1:1/file.bin" })).rejects.toBeInstanceOf(DownloadError);
    expect(existsSync(path())).toBe(false);
  });

  test("stops at once when aborted, and goes on another time", async () => {
    answers = [dropAfter(60_000), silence];
    const controller = new AbortController();
    const attempt = get({
      signal: controller.signal,
      patience: 60_000,
      onProgress: ({ received }) => {
        if (received >= 60_000) setTimeout(() => controller.abort(), 20);
      },
    });
    await expect(attempt).rejects.toThrow(/abort/i);
    answers = [whole];
    await get();
    expect(requests.at(-1)!.from).toBe(60_000);
  });
});

/** A tar archive of files, after the ustar header of POSIX. */
function tar(files: Readonly<Record<string, Buffer>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(bytes.length.toString(8).padStart(11, "0"), 124);
    header.write("        ", 148);
    header.write("0", 156);
    header.write(
      header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0"),
      148,
    );
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

describe("getData", () => {
  const sourceOf = (
    files: Readonly<Record<string, Buffer>>,
    packing: "gzip" | "tar.gz",
    unpacked: string[],
  ): DataSource => ({
    title: "test",
    credit: "nobody",
    unpacked,
    files: Object.entries(files).map(([name, bytes]) => ({
      url: url(name),
      sha256: sha256(bytes),
      size: bytes.length,
      packing,
    })),
  });

  test("downloads, unpacks what is needed, and leaves nothing else", async () => {
    const archive = gzipSync(
      tar({ "set/a.bin": content, "set/b.txt": Buffer.from("b"), "set/other": Buffer.from("no") }),
    );
    served = archive;
    answers = [dropAfter(1000), whole];
    const source = sourceOf({ "set.tar.gz": archive }, "tar.gz", ["a.bin", "b.txt"]);
    const target = join(folder, "cifar");
    expect(await getData("cifar10", { folder: target, source, retry })).toBe(target);
    expect(readdirSync(target).sort()).toEqual(["a.bin", "b.txt"]);
    expect(readFileSync(join(target, "a.bin")).equals(content)).toBe(true);
    const before = requests.length;
    await getData("cifar10", { folder: target, source, retry });
    expect(requests.length).toBe(before);
  });

  test("unpacks single files under their own names", async () => {
    served = gzipSync(content);
    const source = sourceOf({ "images-idx3-ubyte.gz": served }, "gzip", ["images-idx3-ubyte"]);
    await getData("fashion-mnist", { folder, source, retry });
    expect(readFileSync(join(folder, "images-idx3-ubyte")).equals(content)).toBe(true);
    expect(readdirSync(folder)).toEqual(["images-idx3-ubyte"]);
  });

  test("names what an archive lacks, and a data set that it does not know", async () => {
    served = gzipSync(tar({ "a.bin": Buffer.from("a") }));
    const source = sourceOf({ "set.tar.gz": served }, "tar.gz", ["a.bin", "b.bin"]);
    await expect(getData("cifar10", { folder, source, retry })).rejects.toThrow(/expected b\.bin in it, found none/);
    await expect(getData("imagenet")).rejects.toThrow(
      new BadInput('data get: expected fashion-mnist, cifar10, cifar100, got "imagenet"; mnist is built in.'),
    );
  });
});

test("a tar archive that is damaged or cut is refused", () => {
  const archive = tar({ "a.bin": content });
  expect([...readTar(archive, "a.tar")].map(({ name }) => name)).toEqual(["a.bin"]);
  expect(() => [...readTar(archive.subarray(0, 2048), "a.tar")]).toThrow("a.tar: truncated");
  const damaged = Buffer.from(archive);
  damaged[0]! ^= 1;
  expect(() => [...readTar(damaged, "a.tar")]).toThrow("a.tar: damaged at byte 0: wrong checksum.");
});

test("every known source states sizes and SHA-256 digests", () => {
  for (const { files, unpacked } of Object.values(dataSources)) {
    expect(unpacked.length).toBeGreaterThan(0);
    for (const file of files) {
      expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(file.size).toBeGreaterThan(1000);
    }
  }
});
