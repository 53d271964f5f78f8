import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkpointPath } from "@sedge/lab";
import { openStore, type RunSummary } from "@sedge/server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { sedge, start, tiny } from "./sedge.js";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sedge-resume-"))));
afterAll(() => rmSync(folder, { recursive: true }));

function soleRun(store: string): RunSummary {
  const opened = openStore(store, { readOnly: true });
  try {
    return opened.runs()[0]!;
  } finally {
    opened.close();
  }
}

/** Starts training and waits until the run has made steps. */
async function underWay(argv: readonly string[], store: string) {
  const started = start([...argv, "--store", store]);
  await vi.waitFor(() => expect(soleRun(store).step).toBeGreaterThan(0), { timeout: 50_000, interval: 50 });
  return started;
}

// Two processes and two stores come to the same numbers, and not a bit may differ.
test("a run that SIGINT interrupts is whole in the store, and goes on to the numbers of an unbroken one", async () => {
  const [whole, broken] = [join(folder, "whole"), join(folder, "broken")];
  const argv = ["train", ...tiny, "--steps", "60000", "--learning-rate", "0.001"];
  expect((await sedge(...argv, "--store", whole)).code).toBe(0);

  const first = await underWay(argv, broken);
  const busy = await sedge("train", "--resume", soleRun(broken).id, "--store", broken);
  expect(busy).toMatchObject({ code: 2, stdout: "" });
  expect(busy.stderr).toMatch(
    /^sedge train: --resume: run \w+ \(.*\) is being trained by another process\. Stop that one first/,
  );
  first.child.kill("SIGINT");
  const stopped = await first.ended;
  expect(stopped.code).toBe(130);
  expect(stopped.stdout).toMatch(/interrupted at step \d+/);
  const { id, step, ...halted } = soleRun(broken);
  expect(step).toBeLessThan(60_000);
  expect(halted).toMatchObject({ status: "interrupted", latest: { "loss/train": expect.any(Number) as number } });
  expect(halted.finishedAt).not.toBeNull();
  expect(stopped.stderr).toContain(`sedge train --resume ${id} goes on with it.`);
  expect(existsSync(checkpointPath(broken, id))).toBe(true);

  const beside = await sedge("train", "--resume", id, "--steps", "5", "--store", broken);
  expect(beside.stderr).toMatch(
    /--resume: expected no config beside it, because the run goes on as it was; got --steps/,
  );
  expect(beside.code).toBe(2);

  const second = await sedge("train", "--resume", id.slice(0, 10), "--store", broken);
  expect(second.code).toBe(0);
  const numbers = (store: string) =>
    Object.fromEntries(Object.entries(soleRun(store).latest).filter(([key]) => !/^(cost|speed)\//.test(key)));
  expect(numbers(broken)).toEqual(numbers(whole));
  expect(Object.keys(numbers(broken)).length).toBeGreaterThan(8);
  expect(soleRun(broken)).toMatchObject({ id, status: "finished", step: 60_000 });

  const again = await sedge("train", "--resume", id, "--store", broken);
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/has ended as finished at step 60000 of 60000 .*: there is nothing to go on with\.\n$/);
  const unknown = await sedge("train", "--resume", "zzzz", "--store", broken);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toMatch(/run "zzzz": no run has this id/);
});
