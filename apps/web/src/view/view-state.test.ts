import fc from "fast-check";
import { expect, test } from "vitest";
import { isSelected, solo, toggled, everything, type Selection } from "./selection.js";
import { chartIds, defaultView, fromQuery, toQuery, xAxes, type ViewState } from "./view-state.js";

const anyId = fc.stringMatching(/^[0-9a-z_-]{1,12}$/);
const anySelection: fc.Arbitrary<Selection> = fc.record({
  kind: fc.constantFrom("all-but" as const, "only" as const),
  ids: fc.array(anyId, { maxLength: 5 }).map((ids) => new Set(ids)),
});
const anyPage = fc.oneof(
  fc.record({ view: fc.constantFrom("charts" as const, "table" as const, "compare" as const, "phases" as const) }),
  anyId.map((run) => ({ view: "run" as const, run })),
);
const anyView: fc.Arbitrary<ViewState> = fc
  .tuple(
    anyPage,
    fc.record({
      sort: fc.record({ column: fc.constantFrom("age", "kernel", "loss"), descending: fc.boolean() }),
      sweep: fc.constantFrom("", "mnist-grid"),
      colourBy: fc.constantFrom("outcome" as const, "kernel" as const, "loss" as const),
      theoryFrom: fc.constantFrom("first" as const, "last" as const),
      selection: anySelection,
      x: fc.constantFrom(...xAxes),
      xLog: fc.boolean(),
      log: fc.subarray([...chartIds]).map((ids) => new Set(ids)),
      sharpness: fc.constantFrom("curvature" as const, "ratio" as const),
      measures: fc
        .dictionary(fc.constantFrom("k-exact", "k-trace", "ratio"), fc.boolean())
        .map((on) => new Map(Object.entries(on))),
      smoothing: fc.constantFrom(0, 0.05, 0.6, 0.95),
      filter: fc.string({ maxLength: 20 }),
    }),
  )
  .map(([page, rest]) => ({ run: "", ...page, ...rest }));

test("a view survives its own address", () => {
  fc.assert(fc.property(anyView, (view) => void expect(fromQuery(toQuery(view))).toEqual(view)));
});

test("the default view has no address, and an old or broken link opens as far as it can", () => {
  expect(toQuery(defaultView)).toBe("");
  expect(fromQuery("x=furlongs&smooth=7&loss=cubic&nonsense")).toEqual(defaultView);
});

test("a selection of all but some takes in runs that start later; one of only some does not", () => {
  const hidden = toggled(everything, "a");
  expect([isSelected(hidden, "a"), isSelected(hidden, "new")]).toEqual([false, true]);
  expect(toggled(hidden, "a")).toEqual(everything);
  const alone = solo(hidden, "b");
  expect([isSelected(alone, "b"), isSelected(alone, "new")]).toEqual([true, false]);
  expect(solo(alone, "b")).toEqual(everything);
});
