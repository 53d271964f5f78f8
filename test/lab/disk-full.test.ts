import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadCheckpoint, type TrainConfigInput } from "@sedge/lab";
import { afterAll, beforeAll, expect, test } from "vitest";

const program = fileURLToPath(new URL("./killable-run.mjs", import.meta.url));
const config: TrainConfigInput = {
  ...{
    data: { examples: 40, testExamples: 10 },
    model: { widths: [64] },
    learningRate: 0.001,
    batchSize: 1,
    steps: 4000,
  },
  probes: { count: 2, examples: 4, measure: ["loss"] },
};

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-disk-full-"))));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Trains in a process that may write files of so many kilobytes at most: the kernel refuses what is longer (EFBIG) half-way
 * through a write, as it does on a full disk (ENOSPC). With `killAt`, the process is killed once it has come that far.
 */
function run(own: string, { kilobytes, killAt }: { kilobytes?: number; killAt?: number } = {}): Promise<Ended> {
  const limit = kilobytes === undefined ? "unlimited" : String(kilobytes);
  const argv = ["-c", `ulimit -f ${limit}; exec "$@"`, "bash", process.execPath, program, own, JSON.stringify(config)];
  return new Promise((resolve, reject) => {
    const child = spawn("bash", argv, { stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (killAt !== undefined && Number(stdout.trim().split("\n").at(-1)) >= killAt) child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

test.skipIf(process.platform === "win32")(
  "a checkpoint that finds no room ends the run in words, the old one stays whole, and the run goes on from it",
  async () => {
    const [whole, own] = [mkdtempSync(join(folder, "a-")), mkdtempSync(join(folder, "b-"))];
    expect((await run(whole)).code).toBe(0);

    await run(own, { killAt: 500 });
    const path = join(own, "checkpoint.safetensors");
    const before = readFileSync(path);
    const { code, stderr } = await run(own, { kilobytes: Math.floor(before.length / 2048) });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /checkpoint\.safetensors: the checkpoint of step \d+ could not be written \(EFBIG, \d+ bytes\)\. What the file held before is whole\./,
    );
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(own).filter((name) => name.includes(".part"))).toEqual([]);
    // The run is told to be interrupted, and not failed: it can go on.
    expect(readFileSync(join(own, "events.jsonl"), "utf8").trim().split("\n").at(-1)).toMatch(/"status":"interrupted"/);

    expect((await run(own)).code).toBe(0);
    expect(loadCheckpoint(path).carried).toEqual(loadCheckpoint(join(whole, "checkpoint.safetensors")).carried);
  },
);
