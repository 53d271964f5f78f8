import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Task } from "./cells.js";
import { controlStudy } from "./control-study.js";
import { interval, showInterval } from "./statistics.js";

/** MNIST at the smallest sizes that exercise everything. */
const tiny = (name: string, question: Task["question"], learningRate: number): Task => ({
  ...{ name, question, learningRate, needsData: false, edgeTest: { seeds: 1, steps: 160 } },
  base: {
    ...{ batchSize: 1, steps: 120, learningRate, data: { examples: 64, testExamples: 16 }, model: { widths: [8] } },
    probes: { count: 2, examples: 4, measure: ["loss"] },
    control: { examples: 4 },
  },
});

test(
  "pieces, a broken file, other shards: what is there is not run again, and the tables hold every arm",
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "sedge-study-"));
    try {
      const study = {
        size: "quick" as const,
        seeds: 1,
        folder,
        tasks: [tiny("one", "all", 0.02), tiny("two", "transfer", 0.02)],
      };
      // As a process that is killed: some runs are files, others are not.
      const stop = new AbortController();
      let begun = 0;
      const broken = controlStudy({
        ...study,
        signal: stop.signal,
        onProgress: () => void (++begun === 4 && stop.abort()),
      });
      await expect(broken).rejects.toThrow();
      expect(readdirSync(folder)).toHaveLength(3);
      const path = join(folder, readdirSync(folder)[0]!);
      const marked = readFileSync(path, "utf8").replace(
        /"seconds":[\d.e-]+,"controlSeconds"/,
        '"seconds":12345,"controlSeconds"',
      );
      writeFileSync(path, marked);

      expect((await controlStudy({ ...study, seconds: 0 })).missing).toBe(15); // 11 + 7 runs, three made
      const half = await controlStudy({ ...study, shard: { index: 0, of: 2 } });
      expect(half.missing).toBeGreaterThan(0);
      const whole = await controlStudy(study);
      expect(whole).toMatchObject({ missing: 0, skipped: [] });
      expect(readFileSync(path, "utf8")).toBe(marked);
      for (const arm of [
        "constant | 10",
        "cosine | 3",
        "K = 0.5 | 0.1",
        "12,300", // shown with three digits

        "### Where the edge is",
        "### Transfer",
      ]) {
        expect(whole.report).toContain(arm);
      }
      const edge = whole.results.find(({ edge }) => edge !== null)!.edge!;
      expect(edge.measured.value).toBeGreaterThan(0);

      // Of another size, nothing that is there counts.
      const other = { ...study, tasks: [{ ...study.tasks[0]!, base: { ...study.tasks[0]!.base, steps: 121 } }] };
      expect((await controlStudy({ ...other, seconds: 0 })).missing).toBe(11);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

// 1, 2, 3: mean 2, standard deviation 1, and Student's t of two degrees of freedom is 4.303: 4.303/√3 = 2.484.
test("intervals are Student's over the seeds that have a value", () => {
  expect(interval([1, 2, null, 3, Infinity])).toMatchObject({ mean: 2, known: 3, of: 5 });
  expect(interval([1, 2, 3])!.half).toBeCloseTo(4.303 / Math.sqrt(3), 12);
  expect(showInterval(interval([1, 2, 3]))).toBe("2 ± 2.5");
  expect(showInterval(interval([1, null]))).toBe("1 (1 of 2)");
  expect(showInterval(interval([null]))).toBe("–");
});
