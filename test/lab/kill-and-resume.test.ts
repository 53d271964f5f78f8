import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadCheckpoint, type TrainConfigInput } from "@sedge/lab";
import { createRandom } from "@sedge/linalg";
import { afterAll, beforeAll, expect, test } from "vitest";

// Runs the build, like test/cli: what is killed is a real process.
const program = fileURLToPath(new URL("./killable-run.mjs", import.meta.url));
const kills = 24;

/** Everything that has state: moments, sampler, augmentation, schedule, clipping, parts, warm-started probes. */
const config: TrainConfigInput = {
  data: { examples: 40, testExamples: 10, augment: { crop: 2, flip: true } },
  model: { kind: "cnn", widths: [3, 4] },
  loss: "cross-entropy",
  labelSmoothing: 0.1,
  learningRate: 0.003,
  schedule: { kind: "cosine", warmup: 50 },
  optimizer: { kind: "adamw" },
  weightDecay: 0.01,
  clipNorm: 1,
  batchSize: 6,
  accumulate: 2,
  sampling: "epoch-shuffle",
  steps: 3000,
  probes: { count: 9, examples: 4 },
};

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-kill-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Trains in a process of its own; with `killAt`, ends it with SIGKILL so many milliseconds after it has come that far.
 *
 * @returns The status it ended with; undefined if it was killed.
 */
function run(own: string, killAt?: { readonly step: number; readonly delay: number }): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, own, JSON.stringify(config)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [last, complaint, killing] = ["", "", false];
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      last = text.trim().split("\n").at(-1)!;
      if (killAt === undefined || killing || !(Number(last) >= killAt.step)) return;
      killing = true;
      setTimeout(() => child.kill("SIGKILL"), killAt.delay);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (signal === "SIGKILL") resolve(undefined);
      else if (code === 0) resolve(last);
      else reject(new Error(`ended with ${code}: ${complaint}`));
    });
  });
}

type Values = Record<string, number | string>;

/** What was recorded at each step but for times, once for every time that it was recorded. */
function recorded(own: string): Map<number, Values[]> {
  const records = new Map<number, Values[]>();
  for (const line of readFileSync(join(own, "events.jsonl"), "utf8").trim().split("\n")) {
    const event = JSON.parse(line) as { type: string; step: number; values: Values };
    if (event.type !== "metrics") continue;
    const values = Object.entries(event.values).filter(([key]) => !/^(cost|speed)\//.test(key));
    records.set(event.step, [...(records.get(event.step) ?? []), Object.fromEntries(values)]);
  }
  return records;
}

test(
  `a run killed ${kills} times at random moments ends as the unbroken one, to the last bit`,
  async () => {
    const [whole, broken] = [join(folder, "whole"), join(folder, "broken")];
    mkdirSync(whole);
    mkdirSync(broken);
    expect(await run(whole)).toBe("finished");

    // Somewhere in each of so many equal parts of the run, and then anywhere in the next chunk, its record or its saving.
    const random = createRandom("kill");
    let killed = 0;
    for (let i = 0; i < kills; i++) {
      const step = Math.floor((config.steps * (i + random.uniform())) / (kills + 1));
      if ((await run(broken, { step, delay: 60 * random.uniform() })) === undefined) killed++;
    }
    expect(killed).toBeGreaterThanOrEqual(20);
    expect(await run(broken)).toBe("finished");

    const state = (own: string) => {
      const checkpoint = loadCheckpoint(join(own, "checkpoint.safetensors"));
      const { step, minibatches, batchLoss, carried, probes } = checkpoint;
      return { step, minibatches, batchLoss, carried, probes };
    };
    expect(state(broken)).toEqual(state(whole));
    const truth = recorded(whole);
    const records = recorded(broken);
    expect([...records.keys()].sort((a, b) => a - b)).toEqual([...truth.keys()].sort((a, b) => a - b));
    for (const [step, repeats] of records) {
      for (const values of repeats) expect(values, `step ${step}`).toEqual(truth.get(step)![0]);
    }
    // What a kill left of a checkpoint half written is not taken for one.
    expect(readdirSync(broken).filter((name) => name.endsWith(".safetensors"))).toEqual(["checkpoint.safetensors"]);
  },
  30 * 60_000,
);
