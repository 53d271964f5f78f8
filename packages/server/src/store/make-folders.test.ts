import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolders } from "./make-folders.js";
import { openStore } from "./store.js";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "sedge-folders-"));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

test("makes all that is missing, and leaves what is there", () => {
  const folder = join(scratch, "a", "b", "c");
  makeFolders(folder);
  makeFolders(folder);
  expect(statSync(folder).isDirectory()).toBe(true);
});

test("a file in the way is the file system's error", () => {
  writeFileSync(join(scratch, "file"), "");
  expect(() => makeFolders(join(scratch, "file"))).toThrow(expect.objectContaining({ code: "EEXIST" }));
  expect(() => makeFolders(join(scratch, "file", "below"))).toThrow(expect.objectContaining({ code: "ENOTDIR" }));
});

// /proc answers ENOENT for a folder whose parent is there, on which Node's recursive mkdir goes round for ever.
test.runIf(existsSync("/proc/self"))("a store where no folder can be made is refused, and at once", () => {
  expect(() => openStore("/proc/sedge/store")).toThrow(/Run store \/proc\/sedge\/store/);
});
