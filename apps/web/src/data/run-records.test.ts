import { describe, expect, test } from "vitest";
import type { RunRecord } from "../api/types.js";
import { RunRecords } from "./run-records.js";

const record = (step: number, kind = "attribution", mark = 0): RunRecord => ({
  step,
  time: step,
  kind,
  data: { mark },
});

/** A server with records that can be changed between reads, as the API answers: those of steps after `afterStep`. */
function server(records: RunRecord[]) {
  const asked: (number | undefined)[] = [];
  return {
    asked,
    records: (_: string, { afterStep = -1 }: { afterStep?: number } = {}) => {
      asked.push(afterStep < 0 ? undefined : afterStep);
      return Promise.resolve(records.filter(({ step }) => step > afterStep));
    },
  };
}
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("RunRecords", () => {
  test("reads when first looked at, then only what is new; a step written anew replaces what was there", async () => {
    const stored = [record(0), record(10)];
    const from = server(stored);
    const runs = new RunRecords(from);
    runs.refresh("a"); // nobody looks at it
    expect(from.asked).toEqual([]);
    const state = runs.of("a");
    expect(state.value.status).toBe("loading");
    await settled();
    expect(state.value.records.map(({ step }) => step)).toEqual([0, 10]);
    stored.splice(1, 1, record(10, "attribution", 1), record(10, "examples"), record(20));
    runs.refresh("a");
    await settled();
    expect(from.asked).toEqual([undefined, 9]);
    expect(state.value.records).toEqual(stored);
    expect(runs.of("a")).toBe(state);
  });

  test("records at step 0 only are read again without doubling", async () => {
    const stored = [record(0)];
    const runs = new RunRecords(server(stored));
    const state = runs.of("a");
    await settled();
    stored.push(record(1));
    runs.refresh("a");
    await settled();
    expect(state.value.records).toEqual(stored);
  });

  test("news that come while reading are read after it", async () => {
    const stored = [record(0)];
    const runs = new RunRecords(server(stored));
    const state = runs.of("a");
    stored.push(record(5));
    runs.refresh("a");
    runs.refresh("a");
    await settled();
    expect(state.value.records).toEqual(stored);
  });

  test("a read that fails says why and keeps what was read", async () => {
    let broken = false;
    const runs = new RunRecords({
      records: () => (broken ? Promise.reject(new Error("The store is damaged.")) : Promise.resolve([record(3)])),
    });
    const state = runs.of("a");
    await settled();
    broken = true;
    runs.refresh("a");
    await settled();
    expect(state.value).toEqual({ status: "failed", records: [record(3)], error: "The store is damaged." });
  });
});
