import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { backend, selectBackend } from "../backend.js";
import { typescriptEngine } from "../engines/typescript.js";
import { largeArray } from "../large-array.js";
import { multiply } from "../products.js";
import { native as browser } from "./browser.js";
import { candidates } from "./candidates.js";
import { native } from "./node.js";
import { spellings } from "./routines.js";
import { disagreement } from "./verify.js";

const folder = mkdtempSync(join(tmpdir(), "sedge-linalg-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  selectBackend("typescript");
});

const textFile = join(folder, "libtext.so");
writeFileSync(textFile, "not a library\n");
// A real library without a single routine of ours: the C library's mathematics.
const libm = "libm.so.6";
const onLinux = process.platform === "linux";

describe("a library that cannot be used falls back to TypeScript with one warning", () => {
  test.each([
    ["one that is not there", join(folder, "missing.so"), /missing\.so/],
    ["one that is not a library", textFile, /libtext\.so/],
    ...(onLinux && existsSync("/proc")
      ? [["one without the routines", libm, /libm\.so\.6: has no dgemm_/] as const]
      : []),
  ] as const)("%s", (_, path, reason) => {
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    expect(selectBackend(path)).toEqual({ name: "typescript", kernels: "wasm" });
    expect(multiply(Float64Array.of(3), Float64Array.of(5), { rows: 1, inner: 1, columns: 1 })).toEqual(
      Float64Array.of(15),
    );
    backend();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toMatch(reason);
  });

  test("one with wrong results is found out, whichever routine it is", () => {
    expect(disagreement(typescriptEngine)).toBeNull();
    const nudge = (values: Float64Array): void => void (values[values.length - 1]! += 1e-3);
    expect(
      disagreement({
        ...typescriptEngine,
        multiplyTriangular(target, ...rest) {
          typescriptEngine.multiplyTriangular(target, ...rest);
          nudge(target);
        },
      }),
    ).toBe("dtrmm gives wrong results");
    expect(
      disagreement({
        ...typescriptEngine,
        eigh(target, ...rest) {
          typescriptEngine.eigh(target, ...rest);
          nudge(target.vectors);
        },
      }),
    ).toBe("dsyevd (eigenvectors) gives wrong results");
    expect(disagreement({ ...typescriptEngine, multiply: (target) => void target.fill(NaN) })).toBe(
      "dgemm gives wrong results",
    );
  });
});

test("the choice at start comes from SEDGE_BLAS, and from what is found without it", () => {
  vi.stubEnv("SEDGE_BLAS", "typescript");
  expect(native.environmentChoice()).toBe("typescript");
  vi.stubEnv("SEDGE_BLAS", "");
  expect(native.environmentChoice()).toBeUndefined();
});

test("a library named by SEDGE_BLAS that is missing costs one warning, at the first use and no other", async () => {
  vi.resetModules();
  vi.stubEnv("SEDGE_BLAS", join(folder, "missing.so"));
  const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
  const fresh = await import("../index.js");
  expect(warn).not.toHaveBeenCalled();
  expect(fresh.backend().name).toBe("typescript");
  expect(fresh.eigh(Float64Array.of(7), 1).values).toEqual(Float64Array.of(7));
  expect(fresh.backend().name).toBe("typescript");
  expect(warn).toHaveBeenCalledTimes(1);
});

test("automatic choice says nothing about libraries that are simply not installed", () => {
  const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
  selectBackend("auto");
  expect(warn).not.toHaveBeenCalled();
});

test("a chosen library reports its own name", () => {
  vi.spyOn(process, "emitWarning").mockReturnValue();
  const found = selectBackend("lapack");
  if (found.name === "typescript") return; // no library on this machine
  expect(found.library).toBeTruthy();
  expect(found.path).toBeTruthy();
  if (found.library!.startsWith("OpenBLAS")) expect(found.threads).toBeGreaterThan(0);
});

test("routines are known by the names that NumPy's and SciPy's own OpenBLAS gives them", () => {
  expect(spellings("dsyevd")).toEqual(["dsyevd_", "dsyevd_64_", "scipy_dsyevd_64_", "scipy_dsyevd_"]);
});

describe("large arrays", () => {
  test.each([0, 3, 2 ** 18 - 1, 2 ** 18, 700_001])("hold %i zeros that can be written", (length) => {
    for (const of of [native, browser]) {
      const array = of.largeArray(length);
      expect(array.length).toBe(length);
      expect(array.every((x) => x === 0)).toBe(true);
      array.fill(1);
      expect(array.every((x) => x === 1)).toBe(true);
    }
  });

  test("are refused a length that is none", () => {
    expect(() => largeArray(1.5)).toThrow("largeArray: length: expected an integer of at least 0, got 1.5.");
    expect(() => largeArray("2" as unknown as number)).toThrow(TypeError);
  });
});

test("every platform has candidates", () => {
  for (const platform of ["linux", "darwin", "win32"]) expect(candidates(platform, {}).length).toBeGreaterThan(1);
  expect(candidates("linux", { CONDA_PREFIX: "/conda" })).toContainEqual(["/conda/lib/libopenblas.so.0"]);
});

test("the browser's half finds nothing and chooses nothing", () => {
  expect(browser.environmentChoice()).toBeUndefined();
  expect(browser.findLibrary()).toEqual({ engine: null, problems: [] });
});

test("a choice that is no string, or an empty one, is refused", () => {
  expect(() => selectBackend(3 as unknown as string)).toThrow(
    'selectBackend: choice: expected "auto", "typescript", "lapack" or a library\'s path, got 3.',
  );
  expect(() => selectBackend("")).toThrow(RangeError);
});
