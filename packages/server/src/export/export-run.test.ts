import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { expect, test } from "vitest";
import { metrics, runStarted, testStore } from "../testing/events.js";
import { exportRun } from "./export-run.js";

function storeWithRun() {
  const store = testStore();
  store.append(runStarted("abc"));
  store.append(metrics("abc", 0, { "loss/train": 1 / 3, sharpness: NaN }));
  store.append(metrics("abc", 10, { "loss/train": -Infinity }));
  store.append(metrics("abc", 20, { 'odd, "key"': 5e-324, sharpness: Infinity }));
  return store;
}
const time = (step: number) => metrics("abc", step, {}).time;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("CSV has a row for each step, empty where nothing was measured", () => {
  expect(text(exportRun(storeWithRun(), "ab", "csv"))).toBe(
    [
      'step,time,loss/train,sharpness,"odd, ""key"""',
      `0,${time(0)},0.3333333333333333,NaN,`,
      `10,${time(10)},-Infinity,,`,
      `20,${time(20)},,Infinity,5e-324`,
      "",
    ].join("\n"),
  );
});

test("JSON holds the run and its series, as the API has them", () => {
  const { run, series } = JSON.parse(text(exportRun(storeWithRun(), "abc", "json"))) as Record<string, object>;
  expect(run).toMatchObject({ id: "abc", config: { learningRate: 0.01 }, latest: { sharpness: "Infinity" } });
  expect(series).toEqual({
    "loss/train": { steps: [0, 10], times: [time(0), time(10)], values: [1 / 3, "-Infinity"] },
    sharpness: { steps: [0, 20], times: [time(0), time(20)], values: ["NaN", "Infinity"] },
    'odd, "key"': { steps: [20], times: [time(20)], values: [5e-324] },
  });
});

test("Parquet gives the same numbers to an independent reader, null where nothing was measured", async () => {
  const bytes = exportRun(storeWithRun(), "abc", "parquet");
  const file = bytes.buffer as ArrayBuffer;
  const rows = await parquetReadObjects({ file });
  expect(rows).toEqual([
    { step: 0n, time: new Date(time(0)), "loss/train": 1 / 3, sharpness: NaN, 'odd, "key"': null },
    { step: 10n, time: new Date(time(10)), "loss/train": -Infinity, sharpness: null, 'odd, "key"': null },
    { step: 20n, time: new Date(time(20)), "loss/train": null, sharpness: Infinity, 'odd, "key"': 5e-324 },
  ]);
  const metadata = parquetMetadata(file);
  expect(metadata.created_by).toBe("sedge 0.1.0");
  const run = metadata.key_value_metadata!.find(({ key }) => key === "sedge.run")!.value!;
  expect(JSON.parse(run)).toMatchObject({ id: "abc", status: "running" });
  // A column with NaN has no bounds, by which a reader would skip what it looks for.
  const bounds = metadata.row_groups[0]!.columns.map(({ meta_data }) => meta_data!.statistics?.max_value);
  expect(bounds).toEqual([20n, new Date(time(20)), 1 / 3, undefined, 5e-324]);
});

test("Parquet keeps many rows and columns", async () => {
  const store = testStore();
  store.append(runStarted("a"));
  const values = (step: number) => ({ a: Math.sin(step), b: step, c: -step, d: 1 / (1 + step) });
  for (let step = 0; step < 5000; step++) store.append(metrics("a", step, values(step)));
  const rows = await parquetReadObjects({ file: exportRun(store, "a", "parquet").buffer as ArrayBuffer });
  expect(rows).toEqual(
    Array.from({ length: 5000 }, (_, step) => ({ step: BigInt(step), time: new Date(time(step)), ...values(step) })),
  );
});

test.each(["csv", "json", "parquet"] as const)(
  "%s of chosen metrics after a step, and of a run without any",
  async (format) => {
    const store = storeWithRun();
    store.append(runStarted("empty"));
    const chosen = exportRun(store, "abc", format, { keys: ["sharpness"], afterStep: 0 });
    const nothing = exportRun(store, "empty", format);
    if (format === "csv") {
      expect(text(chosen)).toBe(`step,time,sharpness\n20,${time(20)},Infinity\n`);
      expect(text(nothing)).toBe("step,time\n");
    } else if (format === "json") {
      expect(JSON.parse(text(chosen))).toMatchObject({ series: { sharpness: { steps: [20] } } });
      expect(JSON.parse(text(nothing))).toMatchObject({ run: { id: "empty" }, series: {} });
    } else {
      expect(await parquetReadObjects({ file: chosen.buffer as ArrayBuffer })).toEqual([
        { step: 20n, time: new Date(time(20)), sharpness: Infinity },
      ]);
      expect(await parquetReadObjects({ file: nothing.buffer as ArrayBuffer })).toEqual([]);
    }
  },
);
