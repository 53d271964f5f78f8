import { readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import type { Random } from "@sedge/linalg";
import type sharpModule from "sharp";
import { BadInput } from "../errors.js";
import { imageCacheEntry, type ListedFile } from "./image-cache.js";
import type { ImageSet } from "./image-set.js";

export interface ImageFolderOptions {
  /** What images are resized to: the shorter side first, then the middle is cut out. */
  readonly height: number;
  readonly width: number;
  /** At most so many images, taken from the classes in turn. Default all. */
  readonly examples?: number | undefined;
  /** Takes them at random instead, each image of the folder as likely as any other, and in random order. Not kept in a cache. */
  readonly random?: Random | undefined;
  /** Go on without images that cannot be read. Default false: the first one is an error. */
  readonly skipBroken?: boolean | undefined;
  /** Folder in which the decoded images are kept for the next time; false keeps none. Default false. */
  readonly cache?: string | false | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface ImageFolder extends ImageSet {
  /** Of each image. */
  readonly paths: readonly string[];
  /** How many images the folder has, read or not. */
  readonly available: number;
  /** Files that could not be read, with `skipBroken`. */
  readonly skipped: readonly string[];
}

export const imageExtensions: ReadonlySet<string> = new Set([".jpeg", ".jpg", ".png"]);

/**
 * Reads images in folders that name their classes, `FOLDER/CLASS/*.{jpeg,jpg,png}`: the layout that torchvision calls
 * ImageFolder. Classes are in the order of their names. Grey images become red, green and blue; transparency is dropped.
 *
 * @throws BadInput naming the folder without classes or images, or the image that cannot be read; the signal's reason when aborted.
 */
export async function readImageFolder(folder: string, options: ImageFolderOptions): Promise<ImageFolder> {
  const { height, width, examples, random, skipBroken = false, cache = false, signal } = options;
  const { classes, files } = listFiles(folder);
  if (random !== undefined) shuffle(files, random);
  const { default: sharp } = await import("sharp");
  if (cache === false || random !== undefined) return decodeFiles(folder, classes, files, options, sharp);
  const request = {
    folder,
    height,
    width,
    examples: examples ?? null,
    skipBroken,
    decoder: sharp.versions.vips,
  };
  const entry = imageCacheEntry(cache, request, listed(files));
  signal?.throwIfAborted();
  const kept = entry.read();
  if (kept !== undefined) return kept;
  const images = await decodeFiles(folder, classes, files, options, sharp);
  entry.write(images);
  return images;
}

/** Images that are decoded at a time: sharp has threads of its own. */
const together = 16;

async function decodeFiles(
  folder: string,
  classes: string[],
  files: readonly ImageFile[],
  { height, width, examples, skipBroken = false, signal, onProgress }: ImageFolderOptions,
  sharp: Sharp,
): Promise<ImageFolder> {
  const wanted = Math.min(examples ?? files.length, files.length);
  const size = height * width * 3;
  const pixels = new Uint8Array(wanted * size);
  const labels = new Int32Array(wanted);
  const paths: string[] = [];
  const skipped: string[] = [];
  const decode = (path: string) =>
    sharp(path, { failOn: "error" })
      .rotate() // as the camera's orientation mark says
      .resize(width, height, { fit: "cover" })
      .toColourspace("srgb")
      .removeAlpha()
      .raw()
      .toBuffer();
  for (let next = 0; next < files.length && paths.length < wanted;) {
    signal?.throwIfAborted();
    const group = files.slice(next, next + Math.min(together, wanted - paths.length));
    next += group.length;
    const decoded = await Promise.allSettled(group.map(({ path }) => decode(path)));
    for (const [i, { path, label }] of group.entries()) {
      const outcome = decoded[i]!;
      if (outcome.status === "fulfilled") {
        pixels.set(outcome.value, paths.length * size);
        labels[paths.length] = label;
        paths.push(path);
        continue;
      }
      if (!skipBroken) {
        const reason = (outcome.reason as Error).message.replace(/\s+/g, " ").trim();
        throw new BadInput(`${path}: cannot be read as an image (${reason}); --skip-broken leaves such files out.`);
      }
      skipped.push(path);
    }
    onProgress?.({ done: paths.length, total: wanted });
  }
  const count = paths.length;
  if (count === 0) throw new BadInput(`${folder}: none of its ${files.length} images can be read.`);
  return {
    ...{ examples: count, height, width, channels: 3, classes, paths, skipped, available: files.length },
    pixels: pixels.subarray(0, count * size),
    labels: labels.subarray(0, count),
    description:
      `${folder}: ${count} of ${files.length} images in ${classes.length} classes, resized to ${width} × ${height}` +
      (skipped.length > 0 ? `, ${skipped.length} broken ones left out` : ""),
  };
}

function shuffle(files: ImageFile[], random: Random): void {
  for (let i = 0; i < files.length; i++) {
    const other = i + random.integer(files.length - i);
    [files[i], files[other]] = [files[other]!, files[i]!];
  }
}

type Sharp = typeof sharpModule;

interface ImageFile {
  readonly path: string;
  readonly label: number;
}

function listed(files: readonly ImageFile[]): ListedFile[] {
  return files.map(({ path }) => {
    const { size, mtimeNs } = statSync(path, { bigint: true });
    return { path, size: Number(size), nanoseconds: mtimeNs };
  });
}

/** Every image, the first of each class, then the second of each, …: the first so many are of all classes alike. */
function listFiles(folder: string): { classes: string[]; files: ImageFile[] } {
  if (!(statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false)) {
    throw new BadInput(`${folder}: expected a folder of folders of images, one for each class.`);
  }
  const classes = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort();
  const byClass = classes.map((name) =>
    readdirSync(join(folder, name))
      .filter((file) => imageExtensions.has(extname(file).toLowerCase()))
      .sort()
      .map((file) => join(folder, name, file)),
  );
  const files: ImageFile[] = [];
  const most = Math.max(0, ...byClass.map((paths) => paths.length));
  for (let turn = 0; turn < most; turn++) {
    byClass.forEach((paths, label) => {
      if (turn < paths.length) files.push({ path: paths[turn]!, label });
    });
  }
  if (files.length === 0) {
    throw new BadInput(
      `${folder}: expected folders that hold .jpeg, .jpg or .png files, found ${classes.length} folders and no such file.`,
    );
  }
  return { classes, files };
}
