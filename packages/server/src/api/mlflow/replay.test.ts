import { readFileSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { testStore } from "../../testing/events.js";
import { createApp } from "../app.js";

interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly status: number;
  readonly answer?: string;
}

/** What MLflow's own Python client sent to `sedge serve`, byte for byte: fixtures/record_requests.py ran it and wrote this down. */
const { requests } = JSON.parse(readFileSync(new URL("fixtures/python-client.json", import.meta.url), "utf8")) as {
  requests: readonly Recorded[];
};

const recordedAt = Date.UTC(2026, 10, 25);

const idsOf = (answer: string) => {
  const { run, experiment_id: experiment } = JSON.parse(answer) as {
    run?: { info: { run_id: string } };
    experiment_id?: string;
  };
  return run?.info.run_id ?? experiment ?? "";
};

test("the requests that the Python client sends are answered as they were, and leave the runs that its script logged", async () => {
  // Times that are ahead of the clock are refused.
  vi.useFakeTimers({ toFake: ["Date"], now: recordedAt });
  onTestFinished(() => void vi.useRealTimers());
  const store = testStore();
  const failures: Error[] = [];
  const app = createApp(store, { log: (error) => failures.push(error) });
  // Runs get other ids than when this was recorded.
  let text = (recorded: string) => recorded;
  for (const { method, url, headers, body, status, answer } of requests) {
    const sent = text(body);
    const response = await app.request(text(url), { method, headers, ...(sent === "" ? {} : { body: sent }) });
    const got = await response.text();
    expect([method, url, response.status, response.status === status ? "" : got]).toEqual([method, url, status, ""]);
    if (answer === undefined || status !== 200) continue;
    const [before, now, rest] = [idsOf(answer), idsOf(got), text];
    if (before.length === 32) text = (recorded) => rest(recorded).replaceAll(before, now);
    else expect(now).toBe(before);
  }
  expect(failures).toEqual([]);
  const [first, child, byHand, resumed] = [...store.runs()].reverse();
  expect(first).toMatchObject({
    name: "first",
    status: "finished",
    config: { lr: "0.1", batch_size: "32", optimizer: "sgd" },
    latest: { loss: 1 / 3, grad: Infinity, accuracy: 0.75, unstepped: 2, later: 1.5 },
  });
  const { loss, unstepped } = store.metrics(first!.id).series;
  expect([...loss!.values]).toEqual([1, 1 / 2, 1 / 3]);
  expect([[...unstepped!.steps], [...unstepped!.values]]).toEqual([
    [0, 1],
    [3, 2],
  ]);
  expect(store.artifacts(first!.id).map(({ name }) => name)).toEqual([
    "notes.txt",
    "settings/model.json",
    "settings/table.csv",
  ]);
  expect(new TextDecoder().decode(store.artifact(first!.id, "notes.txt").content)).toBe("kept");
  expect(store.origin(first!.id)!.details.tags).toMatchObject({ dataset: "mnist", note: "warm-up", a: "1" });
  expect(store.origin(child!.id)!.details.tags).toMatchObject({ "mlflow.parentRunId": first!.id });
  expect(byHand).toMatchObject({ name: "by hand, renamed", status: "failed", config: { depth: "18" } });
  expect(resumed).toMatchObject({ name: "resumed", status: "finished", latest: { loss: 0.5 }, step: 1 });
});
