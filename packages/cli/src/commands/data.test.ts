import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { dataSources } from "@sedge/lab";
import { renderPng } from "@sedge/lab/figures";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { memoryIo } from "../memory-io.js";
import { run } from "../program.js";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-data-"))));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

async function sedge(...argv: string[]) {
  const io = memoryIo();
  return { code: await run(argv, io), stdout: io.stdout, stderr: io.stderr };
}

/** The smallest run that reads data. */
const short = [
  ...["--learning-rate", "0.01", "--batch-size", "2", "--steps", "2", "--model.widths", "4"],
  ...["--data.examples", "6", "--data.test-examples", "2", "--probes.examples", "2", "--probes.measure", "loss"],
];

/** An IDX file of bytes that count up: images of 28 × 28, or labels. */
function idx(count: number, side?: number): Buffer {
  const shape = side === undefined ? [count] : [count, side, side];
  const head = Buffer.alloc(4 + 4 * shape.length);
  head[2] = 8;
  head[3] = shape.length;
  shape.forEach((size, i) => head.writeUInt32BE(size, 4 + 4 * i));
  const size = shape.reduce((product, length) => product * length, 1);
  return Buffer.concat([head, Buffer.from(Uint8Array.from({ length: size }, (_, i) => i % (side ? 251 : 10)))]);
}

/** Fashion-MNIST of a few images, by file name. */
const packed = new Map(
  dataSources["fashion-mnist"].unpacked.map((name) => [
    `/${name}.gz`,
    gzipSync(idx(name.startsWith("train") ? 12 : 4, name.includes("images") ? 28 : undefined), { level: 0 }),
  ]),
);

test("data get goes on where a server dropped the connection, data list finds what came, and runs read it", async () => {
  const asked: string[] = [];
  const server: Server = createServer(({ url, headers }, response) => {
    const bytes = packed.get(url!)!;
    const from = Number(/bytes=(\d+)-/.exec(headers.range ?? "")?.[1] ?? 0);
    asked.push(`${url} ${from}`);
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": bytes.length - from,
      ...(from > 0 && { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    });
    // The first answer of all: some of it, and then no more.
    if (asked.length > 1) response.end(bytes.subarray(from));
    else response.write(bytes.subarray(0, 5000), () => setTimeout(() => response.destroy(), 200));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const known = dataSources["fashion-mnist"];
  const files = [...packed].map(([path, bytes]) => ({
    url: `http://127.0.0.1:${port}${path}`,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    size: bytes.length,
    packing: "gzip" as const,
  }));
  vi.stubEnv("SEDGE_DATA", join(folder, "data"));
  try {
    Object.assign(dataSources, { "fashion-mnist": { ...known, files } });
    const here = join(folder, "data", "fashion-mnist");
    expect(await sedge("data", "get", "fashion-mnist")).toMatchObject({ code: 0, stdout: `${here}\n` });
    expect(readdirSync(here).sort()).toEqual([...known.unpacked].sort());
    const [first, second] = asked as [string, string];
    expect([first, second]).toEqual([`/${known.unpacked[0]}.gz 0`, `/${known.unpacked[0]}.gz 5000`]);
    expect(asked).toHaveLength(5);

    const { stdout } = await sedge("data", "list");
    expect(stdout).toMatch(/^fashion-mnist .* there .*data\/fashion-mnist$/m);
    expect(stdout).toMatch(/^cifar10 .* — .* to get/m);

    const trained = await sedge("train", ...short, "--data.name", "fashion-mnist", "--store", join(folder, "fashion"));
    expect(trained).toMatchObject({ code: 0 });

    // Nothing is asked for a second time; a file of another digest is not kept.
    expect(await sedge("data", "get", "fashion-mnist")).toMatchObject({ code: 0 });
    expect(asked).toHaveLength(5);
    Object.assign(dataSources, { "fashion-mnist": { ...known, files: [{ ...files[0]!, sha256: "0".repeat(64) }] } });
    const elsewhere = join(folder, "elsewhere");
    const refused = await sedge("data", "get", "fashion-mnist", "--to", elsewhere);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/expected SHA-256 0{64}, got .*\. The file was thrown away/);
    expect(readdirSync(elsewhere)).toEqual([]);
  } finally {
    Object.assign(dataSources, { "fashion-mnist": known });
    await new Promise((resolve) => server.close(resolve));
  }
});

test("data get of an unknown set is bad input in one line", async () => {
  const { code, stdout, stderr } = await sedge("data", "get", "imagenet");
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toBe(
    'sedge data: data get: expected fashion-mnist, cifar10, cifar100, got "imagenet"; mnist is built in.\n',
  );
});

test("--data takes a folder of images; a broken JPEG is named, and --skip-broken goes on without it", async () => {
  vi.stubEnv("SEDGE_CACHE", join(folder, "cache"));
  const images = join(folder, "images");
  for (const name of ["ant", "bee"]) {
    mkdirSync(join(images, name), { recursive: true });
    for (let i = 0; i < 5; i++) {
      const colour = `rgb(${40 * i} ${name === "ant" ? 0 : 200} 90)`;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="16"><rect width="20" height="16" fill="${colour}"/></svg>`;
      writeFileSync(join(images, name, `${i}.png`), renderPng(svg));
    }
  }
  writeFileSync(join(images, "bee", "1.jpg"), "no picture");
  const argv = ["train", ...short, "--data", images, "--data.side", "8"];
  const store = join(folder, "images-store");
  const refused = await sedge(...argv, "--store", store);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr.trimEnd().split("\n")).toEqual([
    expect.stringMatching(
      /^sedge train: .*bee\/1\.jpg: cannot be read as an image \(.*\); --skip-broken leaves such files out\.$/,
    ),
  ]);
  expect(existsSync(store)).toBe(false);

  const trained = await sedge(...argv, "--skip-broken", "--store", store);
  expect(trained).toMatchObject({ code: 0 });
  const shown = await sedge("runs", "list", "--json", "--store", store);
  expect(shown.stdout).toContain("1 broken ones left out");
});
