import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

export interface DownloadOptions {
  readonly url: string;
  /** Where the file goes, once it is whole and its digest is right. What has come so far is beside it, `PATH.part`. */
  readonly path: string;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly received: number; readonly size: number }) => void) | undefined;
  /** Failures in a row, without a byte received in between, before it is given up. Default 5. */
  readonly attempts?: number;
  /** Milliseconds before the second attempt; doubled for each after it. Default 500. */
  readonly pause?: number;
  /** A server that sends nothing for so long is taken for lost. Default 30,000 milliseconds. */
  readonly patience?: number;
}

/** A file that could not be downloaded, or is not what it should be. Nothing is left at its path. */
export class DownloadError extends Error {
  override readonly name = "DownloadError";
}

/** A fault of the other side that another attempt may not have. */
class Interrupted extends Error {}

/**
 * Downloads a file, going on where an earlier attempt of this or another process stopped, and verifies its SHA-256.
 *
 * There is never a half file at `path`: it is written beside it, verified, flushed to the disk and renamed. A server that
 * does not know ranges is asked for the whole again. A part whose digest turns out wrong is thrown away, because nobody
 * knows where it is wrong.
 *
 * @throws DownloadError naming the address and the cause; the signal's reason when aborted.
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { url, path, sha256, size, signal, attempts = 5, pause = 500 } = options;
  if (sizeAt(path) === size && (await digestOf(path)) === sha256) return;
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.part`;
  if (sizeAt(part) > size) rmSync(part, { force: true });
  let failures = 0;
  while (sizeAt(part) < size) {
    const before = sizeAt(part);
    try {
      await receive(part, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Interrupted)) throw error;
      failures = sizeAt(part) > before ? 0 : failures + 1;
      if (failures >= attempts) {
        throw new DownloadError(
          `${url}: ${error.message}, ${failures} times; ${sizeAt(part)} of ${size} bytes are kept.`,
        );
      }
      await wait(failures === 0 ? 0 : pause * 2 ** (failures - 1), undefined, { signal });
    }
  }
  const digest = await digestOf(part);
  if (digest !== sha256) {
    rmSync(part, { force: true });
    throw new DownloadError(`${url}: expected SHA-256 ${sha256}, got ${digest}. The file was thrown away.`);
  }
  await flush(part);
  renameSync(part, path);
}

/** Appends what the server sends to the part. Ends normally when the answer is over. */
async function receive(
  part: string,
  { url, size, signal, onProgress, patience = 30_000 }: DownloadOptions,
): Promise<void> {
  const quiet = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => quiet.abort(new Interrupted(`nothing was sent for ${patience} ms`)), patience);
  };
  const either = signal ? AbortSignal.any([signal, quiet.signal]) : quiet.signal;
  const have = sizeAt(part);
  try {
    heard();
    const response = await fetch(url, { signal: either, headers: have > 0 ? { range: `bytes=${have}-` } : {} });
    const resumed = response.status === 206;
    if (response.status !== 200 && !resumed) {
      await response.body?.cancel();
      const message = `the server answered ${response.status} ${response.statusText}`.trimEnd();
      // Busy or broken may pass; not found and forbidden will not.
      if (response.status >= 500 || response.status === 429) throw new Interrupted(message);
      if (response.status !== 416) throw new DownloadError(`${url}: ${message}.`);
      rmSync(part, { force: true });
      throw new Interrupted(message);
    }
    const start = resumed ? have : 0;
    if (resumed && !response.headers.get("content-range")?.startsWith(`bytes ${have}-`)) {
      throw new Interrupted(`the server sent another range than from byte ${have}`);
    }
    const file = await open(part, resumed ? "a" : "w");
    try {
      let received = start;
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        heard();
        received += chunk.length;
        if (received > size) {
          await file.truncate(0);
          throw new DownloadError(`${url}: expected ${size} bytes, the server sent more.`);
        }
        await file.write(chunk);
        onProgress?.({ received, size });
      }
      if (received < size) throw new Interrupted(`the connection ended at byte ${received} of ${size}`);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Interrupted || error instanceof DownloadError) throw error;
    if (quiet.signal.aborted) throw quiet.signal.reason;
    signal?.throwIfAborted();
    if (isDiskFault(error))
      throw new DownloadError(`${part}: cannot be written (${(error as NodeJS.ErrnoException).code}).`);
    const cause =
      error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error);
    throw new Interrupted(`the connection failed (${cause})`);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether an error is the file system's and not the network's. */
const isDiskFault = (error: unknown): boolean =>
  ["ENOSPC", "EACCES", "EROFS", "EDQUOT", "EIO", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "");

const sizeAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function flush(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
