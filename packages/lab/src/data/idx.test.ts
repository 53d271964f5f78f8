import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BadInput } from "../errors.js";
import { IdxError, readIdx, type IdxProblem } from "./idx.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-idx-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** An IDX file as the format's description lays it out, by hand. */
function idxFile(name: string, shape: number[], values: ArrayLike<number>, magic = 0x0800 | shape.length): string {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(magic, 0);
  shape.forEach((axis, i) => header.writeUInt32BE(axis, 4 + 4 * i));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([header, Buffer.from(Array.from(values))]));
  return path;
}

function problemOf(read: () => unknown): { problem: IdxProblem; message: string } {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(IdxError);
    expect(error).toBeInstanceOf(BadInput);
    return error as IdxError;
  }
  throw new Error("nothing was thrown");
}

const twelve = Array.from({ length: 12 }, (_, i) => 250 - i);

describe("readIdx", () => {
  test("returns shape and values in file order", () => {
    const path = idxFile("good", [3, 2, 2], twelve);
    expect(readIdx(path, { rank: 3 })).toEqual({ shape: [3, 2, 2], values: Uint8Array.from(twelve) });
  });

  test("returns the first entries when asked for fewer", () => {
    const path = idxFile("prefix", [3, 2, 2], twelve);
    expect(readIdx(path, { rank: 3, count: 2 })).toEqual({
      shape: [2, 2, 2],
      values: Uint8Array.from(twelve.slice(0, 8)),
    });
  });

  test.each<[string, () => string, IdxProblem, RegExp]>([
    ["a missing file", () => join(folder, "absent"), "unreadable", /absent: cannot be opened \(ENOENT\)/],
    ["a folder", () => folder, "unreadable", /is not a file/],
    ["a file shorter than its header", () => idxFile("short", [3], [], 0x0803), "truncated", /8 bytes long.*16-byte/],
    [
      "another element type",
      () => idxFile("float", [3, 2, 2], twelve, 0x0d03),
      "wrong-magic",
      /0x00000803, got 0x00000d03/,
    ],
    ["another rank", () => idxFile("rank", [3, 2, 2, 1], twelve), "wrong-magic", /got 0x00000804/],
    ["a gzip file", () => idxFile("gzip", [3, 2, 2], twelve, 0x1f8b0800), "wrong-magic", /unpack it first/],
    ["an empty axis", () => idxFile("empty", [3, 0, 2], []), "corrupt-header", /shape of 3 × 0 × 2/],
    ["absurd axes", () => idxFile("absurd", [4e9, 4e9, 2], twelve), "corrupt-header", /4000000000/],
    ["missing values", () => idxFile("cut", [3, 2, 2], twelve.slice(1)), "truncated", /27 bytes long.*calls for 28/],
    [
      "values too many",
      () => idxFile("long", [3, 2, 2], [...twelve, 0]),
      "trailing-bytes",
      /29 bytes long.*calls for 28/,
    ],
  ])("refuses %s", (_, path, problem, message) => {
    const error = problemOf(() => readIdx(path(), { rank: 3 }));
    expect(error.problem).toBe(problem);
    expect(error.message).toMatch(message);
  });

  // The first entry is whole, but a file that is damaged anywhere is not to be trusted.
  test("refuses a truncated file even where the entries asked for are whole", () => {
    const path = idxFile("cut-later", [3, 2, 2], twelve.slice(1));
    expect(problemOf(() => readIdx(path, { rank: 3, count: 1 })).problem).toBe("truncated");
  });

  test("refuses a count that differs from the companion file's, and a request for more than there is", () => {
    const path = idxFile("three", [3, 2, 2], twelve);
    expect(problemOf(() => readIdx(path, { rank: 3, entries: 4 })).problem).toBe("mismatched-count");
    expect(problemOf(() => readIdx(path, { rank: 3, count: 4 })).message).toMatch(/holds 3 entries, 4 were asked for/);
  });
});
