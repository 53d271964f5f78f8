import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { BadInput } from "../errors.js";
import type { ImageSet } from "./image-set.js";

export type CifarKind = "cifar10" | "cifar100";

export interface CifarOptions {
  readonly kind: CifarKind;
  /** Which files of a folder. Default train. */
  readonly split?: "train" | "test";
  /** The first so many images. Default all. */
  readonly examples?: number;
}

const side = 32;
const area = side * side;
const labelBytes = { cifar10: 1, cifar100: 2 } as const;
const classCount = { cifar10: 10, cifar100: 100 } as const;
const classFiles = { cifar10: "batches.meta.txt", cifar100: "fine_label_names.txt" } as const;
const files = {
  cifar10: { train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`), test: ["test_batch.bin"] },
  cifar100: { train: ["train.bin"], test: ["test.bin"] },
} as const;

/**
 * Reads the binary version of CIFAR-10 or CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html): records of a label
 * byte (CIFAR-100: a coarse and a fine one, of which the fine is taken) and 3072 bytes, the red, green and blue plane of
 * a 32 × 32 image.
 *
 * @param path  One such file, or the folder that holds them. Training batches that a folder lacks are passed over.
 * @throws BadInput naming the file, what it has and what it should have.
 */
export function readCifar(path: string, { kind, split = "train", examples }: CifarOptions): ImageSet {
  const { paths, folder } = cifarFiles(path, kind, split);
  const record = labelBytes[kind] + 3 * area;
  const buffers: Buffer[] = [];
  let available = 0;
  for (const file of paths) {
    if (examples !== undefined && available >= examples) break;
    const bytes = readFileSync(file);
    if (bytes.length === 0 || bytes.length % record !== 0) {
      throw new BadInput(
        `${file}: expected records of ${record} bytes (${labelBytes[kind]} of label, 3072 of image), got ${bytes.length} bytes.`,
      );
    }
    buffers.push(bytes);
    available += bytes.length / record;
  }
  const count = examples ?? available;
  if (count > available) throw new BadInput(`${path}: holds ${available} images, ${count} were asked for.`);
  const classes = classNames(folder, kind);
  const pixels = new Uint8Array(count * 3 * area);
  const labels = new Int32Array(count);
  let image = 0;
  for (const [index, bytes] of buffers.entries()) {
    for (let start = 0; start < bytes.length && image < count; start += record, image++) {
      const label = bytes[start + labelBytes[kind] - 1]!;
      if (label >= classes.length) {
        throw new BadInput(
          `${paths[index]!}: record ${start / record}: label ${label}; allowed are 0…${classes.length - 1}.`,
        );
      }
      labels[image] = label;
      const planes = start + labelBytes[kind];
      for (let at = 0; at < area; at++) {
        for (let channel = 0; channel < 3; channel++) {
          pixels[(image * area + at) * 3 + channel] = bytes[planes + channel * area + at]!;
        }
      }
    }
  }
  const name = { cifar10: "CIFAR-10", cifar100: "CIFAR-100" }[kind];
  const description = `${name}: first ${count} ${split === "test" ? "test" : "training"} images`;
  return { examples: count, height: side, width: side, channels: 3, pixels, labels, classes, description };
}

function cifarFiles(path: string, kind: CifarKind, split: "train" | "test") {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new BadInput(`${path}: expected a ${kind} file or folder, found nothing.`);
  if (stat.isFile()) return { paths: [path], folder: join(path, "..") };
  const found = files[kind][split].map((name) => join(path, name)).filter((file) => isFile(file));
  if (found.length === 0) throw new BadInput(`${path}: expected ${files[kind][split].join(", ")}, found none of them.`);
  return { paths: found, folder: path };
}

/** From the list beside the files; the bare numbers where there is none. */
function classNames(folder: string, kind: CifarKind): string[] {
  const path = join(folder, classFiles[kind]);
  const count = classCount[kind];
  const names = isFile(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean)
    : [];
  return names.length === count ? names : Array.from({ length: count }, (_, label) => String(label));
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
