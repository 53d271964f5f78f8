/**
 * Every reader of foreign bytes, given damaged ones: it reads them or refuses them with its own error in one line, in
 * reasonable time. `npm run fuzz` tries 100,000 of each; a failure prints the seed and path that bring it back.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { damaged } from "./damage.js";
import { found } from "./found.js";
import { parsers } from "./parsers.js";

const cases = Number(process.env["SEDGE_FUZZ_CASES"] ?? 100);
const seed = Number(process.env["SEDGE_FUZZ_SEED"] ?? 20_240_419);

/** Milliseconds. Inputs are a few kilobytes; what takes this long has been talked into work that nobody asked for. */
const longest = 2000;

const folder = mkdtempSync(join(tmpdir(), "sedge-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(parsers(folder))("$name", ({ name, samples, read, refusals }) => {
  function readsOrRefuses(input: Uint8Array): void {
    const start = performance.now();
    try {
      read(input);
    } catch (error) {
      if (!refusals.some((kind) => error instanceof kind)) throw error;
      expect((error as Error).message).not.toBe("");
    }
    expect(performance.now() - start).toBeLessThan(longest);
  }

  test("whole inputs are read", () => {
    for (const sample of samples) read(sample);
  });

  const broke = found[name];
  if (broke !== undefined) {
    test("inputs that once broke it", () => {
      for (const input of broke) readsOrRefuses(new Uint8Array(Buffer.from(input, "base64")));
    });
  }

  test(
    `${cases} damaged inputs`,
    () => fc.assert(fc.property(damaged(samples), readsOrRefuses), { numRuns: cases, seed }),
    // A case takes up to a millisecond or two: the large ones write a file and read it back.
    60_000 + 5 * cases,
  );
});
