import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { BadInput } from "../errors.js";
import { writeWhole } from "../write-whole.js";
import { download, DownloadError, type DownloadOptions } from "./download.js";
import { dataFolder } from "./location.js";
import { dataSources, type DataSource, type SourceFile } from "./sources.js";
import { readTar } from "./tar.js";

export interface GetDataOptions {
  /** Folder of the data set. Default: in SEDGE_DATA, else in the user's cache, where readers look for it. */
  readonly folder?: string;
  readonly signal?: AbortSignal | undefined;
  /** Of the file that is being downloaded. */
  readonly onProgress?: (progress: { readonly file: string; readonly received: number; readonly size: number }) => void;
  /** In place of the known ones: a mirror, or a server of a test. */
  readonly source?: DataSource;
  /** How patient to be with the network. */
  readonly retry?: Pick<DownloadOptions, "attempts" | "pause" | "patience">;
}

/**
 * Downloads a data set, verifies and unpacks it. What is there already is not fetched again; what was begun goes on.
 * A file under its final name is always whole.
 *
 * @returns The folder, to hand to the data set's reader.
 * @throws BadInput for an unknown name; DownloadError for a file that could not be had.
 */
export async function getData(name: string, options: GetDataOptions = {}): Promise<string> {
  const source =
    options.source ?? (Object.hasOwn(dataSources, name) ? dataSources[name as keyof typeof dataSources] : undefined);
  if (source === undefined) {
    throw new BadInput(
      `data get: expected ${Object.keys(dataSources).join(", ")}, got ${JSON.stringify(name)}; mnist is built in.`,
    );
  }
  const { folder = dataFolder(name), signal, onProgress, retry } = options;
  mkdirSync(folder, { recursive: true });
  for (const file of source.files) {
    if (unpackedNames(file, source).every((unpacked) => existsSync(join(folder, unpacked)))) continue;
    const path = join(folder, basename(file.url));
    await download({
      ...{ url: file.url, path, sha256: file.sha256, size: file.size, signal, ...retry },
      onProgress: (progress) => onProgress?.({ file: basename(file.url), ...progress }),
    });
    unpack(path, folder, file, source);
    rmSync(path);
  }
  return folder;
}

/** What a packed file turns into: an archive into all that is wanted, any other into the file of its own name. */
function unpackedNames({ url, packing }: SourceFile, { unpacked }: DataSource): readonly string[] {
  return packing === "tar.gz" ? unpacked : [basename(url, ".gz")];
}

function unpack(path: string, folder: string, file: SourceFile, source: DataSource): void {
  const bytes = gunzipSync(readFileSync(path));
  if (file.packing === "gzip") {
    writeWhole(join(folder, basename(file.url, ".gz")), bytes);
    return;
  }
  const missing = new Set(source.unpacked);
  for (const { name, content } of readTar(bytes, path)) {
    const own = basename(name); // never a path out of the archive
    if (!missing.delete(own)) continue;
    writeWhole(join(folder, own), content);
  }
  if (missing.size > 0) throw new DownloadError(`${file.url}: expected ${[...missing].join(", ")} in it, found none.`);
}
