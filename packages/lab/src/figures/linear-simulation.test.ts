import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@sedge/linalg";
import { linearSystem } from "@sedge/theory";
import { expect, test } from "vitest";
import { linearSimulation } from "./linear-simulation.js";
import { folderParts, noParts } from "./parts.js";

test("goes on after an interruption with the seeds that were finished, to the same numbers", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sedge-simulation-"));
  const random = createRandom(3);
  const study = linearSimulation({
    system: linearSystem({ jacobian: random.normals(20), examples: 4, outputs: 1 }),
    residual: random.normals(4),
    sgd: { learningRate: 0.02, batchSize: 2, sampling: "without-replacement" },
    ...{ steps: 20_000, seeds: 60, labelNoise: 0.1 }, // noise: no theory, which would take the longest
  });
  const plain = {
    quick: false,
    seed: 1,
    parts: noParts,
    onProgress: () => undefined,
    sweep: () => Promise.reject(new Error("none")),
  };
  try {
    const parts = folderParts(folder);
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }) => done >= 30 && controller.abort(new Error("enough"));
    await expect(study.compute({ ...plain, parts, onProgress, signal: controller.signal })).rejects.toThrow("enough");
    expect(readdirSync(folder).length).toBeGreaterThan(0);
    const begun: number[] = [];
    const resumed = await study.compute({ ...plain, parts, onProgress: ({ done }) => begun.push(done) });
    expect(begun[0]).toBeGreaterThan(0);
    expect(resumed).toEqual(await study.compute(plain));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
