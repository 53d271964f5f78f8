import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryIo } from "../memory-io.js";
import { run } from "../program.js";

const referenceFile = new URL("../../../theory/src/fixtures/linear-theory.json", import.meta.url);

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-doctor-"))));
afterAll(() => rmSync(folder, { recursive: true }));

interface Report {
  findings: { name: string; state: string; detail: string }[];
  reference: { file: string; errors: { quantity: string; largest: number; tolerance: number; cases: number }[] }[];
}

async function doctor(...argv: string[]) {
  const io = memoryIo();
  return { code: await run(["doctor", ...argv], io), stdout: io.stdout, stderr: io.stderr };
}

describe("sedge doctor", () => {
  test("uses every part and finds none broken", async () => {
    const { code, stdout } = await doctor("--json");
    const { findings } = JSON.parse(stdout) as Report;
    const broken = findings.filter(({ state }) => state === "broken");
    expect(broken).toEqual([]);
    expect(code).toBe(0);
    expect(findings.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["Node.js", "linear algebra", "ONNX Runtime", "run store", "MNIST", "browser"]),
    );
  });

  test("reruns its own copies of the reference cases within tolerance", async () => {
    const { code, stdout } = await doctor("--reference", "--json");
    const { reference } = JSON.parse(stdout) as Report;
    expect(code).toBe(0);
    expect(reference.map(({ file }) => /[^/]+$/.exec(file)![0])).toEqual(["linear-theory.json", "networks.json"]);
    for (const { errors } of reference) {
      expect(errors.length).toBeGreaterThan(5);
      for (const { largest, tolerance } of errors) expect(largest).toBeLessThanOrEqual(tolerance);
    }
  });

  test("a reference value that is missed is shown, with exit code 1", async () => {
    const reference = JSON.parse(readFileSync(referenceFile, "utf8")) as { cases: { kExact: number }[] };
    reference.cases[0]!.kExact *= 1 + 1e-6;
    writeFileSync(join(folder, "linear-theory.json"), JSON.stringify(reference));
    const { code, stdout } = await doctor("--reference", folder);
    expect(code).toBe(1);
    expect(stdout).toMatch(/kExact +9 +1\.0e-6 +1e-8 +OUTSIDE/);
    expect(stdout).toMatch(/kDiagonal .* within/);
  });

  test.each<[string, string | null, RegExp]>([
    ["empty", null, /--reference: expected linear-theory\.json or networks\.json in .*empty, found neither/],
    ["broken", "{", /linear-theory\.json: /],
    ["odd", "[]", /linear-theory\.json: expected an object with "cases"/],
  ])("a reference folder that is %s is bad input", async (name, content, message) => {
    const inner = mkdtempSync(join(folder, `${name}-`));
    if (content !== null) writeFileSync(join(inner, "linear-theory.json"), content);
    const { code, stderr } = await doctor("--reference", content === null ? join(folder, "empty") : inner);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
