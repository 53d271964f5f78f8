import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sedge, start, tiny } from "./sedge.js";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-control-"))));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a run, advised about and tested", () => {
  test(
    "advise names what was measured and who is responsible; edge-test stands beside it",
    { timeout: 60_000 },
    async () => {
      const store = join(folder, "store");
      const trained = await sedge("train", ...tiny, "--name", "first", "--steps", "200", "--store", store);
      expect(trained.code).toBe(0);

      const advised = await sedge("advise", "first", "--store", store, "--json");
      expect(advised.code).toBe(0);
      const advice = JSON.parse(advised.stdout) as {
        step: number;
        statements: { about: string; confidence: string }[];
      };
      expect(advice.step).toBe(200);
      expect(advice.statements.length).toBeGreaterThan(0);
      expect(advice.statements.map(({ about }) => about)).toContain("layers"); // two layers: one has half at least

      const tested = await sedge(
        "edge-test",
        "first",
        "--store",
        store,
        "--seeds",
        "2",
        "--steps",
        "320",
        "--examples",
        "8",
        "--json",
      );
      expect(tested.code).toBe(0);
      const edge = JSON.parse(tested.stdout) as { measured: { value: number }; predicted: Record<string, number> };
      expect(edge.measured.value).toBeGreaterThan(0);
      expect(Object.keys(edge.predicted)).toEqual(["K exact", "K diagonal", "K trace", "batch sharpness", "λ_max"]);
    },
  );

  test("a study that is killed goes on where it was", { timeout: 60_000 }, async () => {
    const out = join(folder, "study");
    const argv = ["study", "control", "--quick", "--seeds", "1", "--out", out];
    const files = () => readdirSync(join(out, "quick")).filter((name) => name.endsWith(".json"));
    expect((await sedge(...argv, "--seconds", "1")).code).toBe(0);
    const [first] = files();
    const before = readFileSync(join(out, "quick", first!), "utf8");
    const { child, ended } = start([...argv, "--shard", "0/2"]);
    setTimeout(() => child.kill("SIGKILL"), 2500);
    expect((await ended).code).toBe(null);
    const after = await sedge(...argv, "--seconds", "0");
    expect(after.code).toBe(0);
    expect(after.stdout).toMatch(/\| constant \| 0\.1 \| 1 of 1 \|/);
    expect(after.stderr).toMatch(/\d+ runs are not made yet/);
    expect(readFileSync(join(out, "quick", first!), "utf8")).toBe(before);
    expect(readFileSync(join(out, "quick.md"), "utf8").trim()).toBe(after.stdout.trim());
  });
});

describe("bad input is refused in one line with exit code 2", () => {
  test.each<[string[], RegExp]>([
    [["study", "nothing"], /^sedge study: study: expected control, got "nothing"/],
    [["study", "control", "--shard", "2/2"], /--shard: expected i\/n/],
    [["edge-test", "nobody"], /Run store .*none: there is none/],
  ])("%j", async (argv, message) => {
    const { code, stdout, stderr } = await sedge(
      ...argv,
      ...(argv[0] === "study" ? ["--out", folder] : ["--store", join(folder, "none")]),
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
