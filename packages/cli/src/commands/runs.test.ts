import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkpointPath } from "@sedge/lab";
import { openStore } from "@sedge/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryIo } from "../memory-io.js";
import { run } from "../program.js";

let folder: string;
let store: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sedge-runs-"));
  store = join(folder, "store");
  const opened = openStore(store);
  for (const [runId, name, k] of [
    ["aaaa0000", "calm", 0.3],
    ["aabb1111", "wild", Infinity],
  ] as const) {
    const model = { paramCount: 118_282, description: "mlp" };
    const config = { learningRate: 0.01, model: { widths: [128, 128] } };
    opened.append({ type: "run-started", runId, time: 1000, name, config, steps: 12_000, model });
    const values = { "loss/train": 0.0421, "noiseKernel/exact": k, "edge/deterministic": 0.2 };
    opened.append({ type: "metrics", runId, time: 2000, step: 6000, values });
    opened.append({ type: "run-finished", runId, time: 3000, step: 6000, status: "finished" });
  }
  opened.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function runs(...argv: string[]) {
  const io = memoryIo({ columns: 120 });
  const code = await run(["runs", ...argv, ...(argv.includes("--store") ? [] : ["--store", store])], io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}

describe("sedge runs", () => {
  test("list shows the newest first", async () => {
    const { code, stdout } = await runs("list");
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^id +name +started +status +step +loss +K exact +λ_max·η\/2$/);
    expect(lines[1]).toMatch(/^aabb1111 +wild +\d{4}-\d\d-\d\d \d\d:\d\d +finished +6,000\/12,000 +0\.0421 +∞ +0\.20$/);
    expect(lines[2]).toMatch(/^aaaa0000 +calm /);
  });

  test("list --json keeps what JSON cannot say", async () => {
    const listed = JSON.parse((await runs("list", "--json")).stdout) as { id: string; latest: object }[];
    expect(listed.map(({ id }) => id)).toEqual(["aabb1111", "aaaa0000"]);
    expect(listed[0]!.latest).toMatchObject({ "noiseKernel/exact": "Infinity" });
  });

  test("show takes an id, its beginning, or a name", async () => {
    const byId = await runs("show", "aaaa0000");
    expect(byId.stdout).toMatch(/^run +aaaa0000 {2}calm$/m);
    expect(byId.stdout).toMatch(/^ {2}model\.widths +128, 128$/m);
    expect(byId.stdout).toMatch(/^verdict +well inside both edges: K = 0\.30/m);
    expect((await runs("show", "aaa")).stdout).toBe(byId.stdout);
    expect((await runs("show", "calm")).stdout).toBe(byId.stdout);
  });

  test("show --json has every measurement", async () => {
    const shown = JSON.parse((await runs("show", "calm", "--json")).stdout) as { series: Record<string, object> };
    expect(shown.series["loss/train"]).toMatchObject({ steps: [6000], values: [0.0421] });
  });

  test("export writes CSV to standard output and Parquet to a file", async () => {
    const { stdout } = await runs("export", "calm", "--keys", "loss/train");
    expect(stdout).toContain("0.0421");
    const path = join(folder, "run.parquet");
    expect((await runs("export", "calm", "--format", "parquet", "--out", path)).code).toBe(0);
    expect(readFileSync(path).subarray(0, 4).toString()).toBe("PAR1");
  });

  test("compare shows what differs and leaves out what does not", async () => {
    const { code, stdout } = await runs("compare", "calm", "wild");
    expect(code).toBe(0);
    expect(stdout).toMatch(/noiseKernel\/exact +0\.3000 +∞/);
    expect(stdout).not.toContain("learningRate");
  });

  test("tag sets tags and clears them", async () => {
    expect((await runs("tag", "calm", "base", "first")).stdout).toBe("Run aaaa0000: base, first.\n");
    expect((await runs("tag", "calm")).stdout).toBe("Run aaaa0000: no tags.\n");
  });

  test("check reads everything", async () => {
    expect(await runs("check")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Sound: 2 runs, \d+ events, 6 points\.\n$/) as string,
    });
  });

  test("an empty store says how to fill it", async () => {
    const empty = join(folder, "empty");
    openStore(empty).close();
    expect(await runs("list", "--store", empty)).toEqual({
      code: 0,
      stdout: "",
      stderr: `No runs in ${empty}. sedge demo makes three.\n`,
    });
  });

  test.each<[string[], RegExp]>([
    [["show", "zzz"], /run "zzz": no run has this id/],
    [["show", "aa"], /run "aa" could be aabb1111, aaaa0000/],
    [["compare", "calm"], /compare: expected two runs or more, got 1/],
    [["delete", "zzz"], /run "zzz": no run has this id/],
    [["export", "calm", "--format", "xlsx"], /Allowed choices are csv, json, parquet/],
    [["export", "calm", "--format", "parquet"], /--out: expected a file to write Parquet to, got nothing/],
    [
      ["export", "calm", "--out", "/proc/no/such"],
      /--out: expected a file that can be written, got "\/proc\/no\/such" \(ENOENT\)/,
    ],
  ])("%j is bad input in one line", async (argv, message) => {
    const { code, stdout, stderr } = await runs(...argv);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("looking at a folder without a store does not make one", async () => {
    const nowhere = join(folder, "nowhere");
    const { code, stderr } = await runs("list", "--store", nowhere);
    expect(code).toBe(2);
    expect(stderr).toContain(nowhere);
    expect(existsSync(nowhere)).toBe(false);
  });

  test("a file in place of the store folder is refused and left alone", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "mine");
    const { code, stderr } = await runs("list", "--store", path);
    expect(code).toBe(2);
    expect(stderr).toContain(path);
    expect(readFileSync(path, "utf8")).toBe("mine");
  });

  test("delete removes the run and its checkpoint, and says which", async () => {
    const checkpoint = checkpointPath(store, "aabb1111");
    mkdirSync(dirname(checkpoint), { recursive: true });
    writeFileSync(checkpoint, "");
    expect((await runs("delete", "wild")).stdout).toBe("Deleted run aabb1111 (wild).\n");
    expect(existsSync(checkpoint)).toBe(false);
    expect((await runs("list")).stdout).not.toContain("wild");
  });
});
