import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { writeWhole } from "../write-whole.js";
import type { ImageFolder } from "./image-folder.js";

/** Where decoded images are kept: in SEDGE_CACHE if set, else in the user's cache. Deleting it costs time only. */
export function imageCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment["SEDGE_CACHE"];
  return own
    ? join(own, "images")
    : join(environment["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "sedge", "images");
}

/** A file that was considered, as it was then. */
export interface ListedFile {
  readonly path: string;
  readonly size: number;
  /** Of the last change. */
  readonly nanoseconds: bigint;
}

/** What is asked of a folder. */
export interface ImageRequest {
  readonly folder: string;
  readonly height: number;
  readonly width: number;
  /** null for all. */
  readonly examples: number | null;
  readonly skipBroken: boolean;
  /** What decodes and resizes: another version may give other pixels. */
  readonly decoder: string;
}

/** The decoded images of one request, kept in one file. */
export interface ImageCacheEntry {
  /** What is kept, if the files are still those that it was made from. */
  read(): ImageFolder | undefined;
  /** Keeps it in place of what was kept for the same request. A cache that cannot be written is passed over. */
  write(images: ImageFolder): void;
}

const magic = "SEDGEIM1";
type Header = Omit<ImageFolder, "pixels" | "labels">;

/** @param files  All files of the folder: another name, size or time of change makes another entry. */
export function imageCacheEntry(cache: string, request: ImageRequest, files: readonly ListedFile[]): ImageCacheEntry {
  const asked = digest(JSON.stringify({ ...request, folder: resolve(request.folder) }));
  const found = digest(files.map(({ path, size, nanoseconds }) => `${path}\0${size}\0${nanoseconds}`).join("\n"));
  const path = join(cache, `${asked}-${found}.images`);
  return {
    read() {
      let bytes: Buffer;
      try {
        bytes = readFileSync(path);
      } catch {
        return undefined;
      }
      return decode(bytes);
    },
    write(images) {
      try {
        mkdirSync(cache, { recursive: true });
        const { pixels, labels, ...header } = images;
        writeWhole(path, encode(header, labels, pixels));
        for (const name of readdirSync(cache)) {
          const isOlder = name.startsWith(`${asked}-`) && join(cache, name) !== path && name.endsWith(".images");
          if (isOlder) rmSync(join(cache, name), { force: true });
        }
      } catch {
        // No room or no right: the images are there, only not for the next time.
      }
    },
  };
}

/** Magic, the header's length, the header as JSON padded to four bytes, labels as int32, pixels. */
function encode(header: Header, labels: Int32Array, pixels: Uint8Array): Uint8Array {
  const json = JSON.stringify(header);
  const text = Buffer.from(json + " ".repeat((4 - (Buffer.byteLength(json) % 4)) % 4));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const labelBytes = Buffer.from(labels.buffer, labels.byteOffset, labels.byteLength);
  return Buffer.concat([Buffer.from(magic), length, text, labelBytes, pixels]);
}

/** undefined for anything but a whole entry. */
function decode(bytes: Buffer): ImageFolder | undefined {
  if (bytes.length < 12 || bytes.toString("latin1", 0, 8) !== magic) return undefined;
  const start = 12 + bytes.readUInt32LE(8);
  let header: Header;
  try {
    header = JSON.parse(bytes.toString("utf8", 12, start)) as Header;
  } catch {
    return undefined;
  }
  const { examples, height, width, channels } = header;
  const pixelStart = start + 4 * examples;
  if (bytes.length !== pixelStart + examples * height * width * channels) return undefined;
  const labels = new Int32Array(new Uint8Array(bytes.subarray(start, pixelStart)).buffer); // a copy, and so aligned
  return { ...header, labels, pixels: bytes.subarray(pixelStart) };
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
