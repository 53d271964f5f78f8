import { expect, test } from "vitest";
import { defaults, fromQuery, placeOf, rateAt, ranges, toQuery } from "./settings.js";

test("an address gives back the settings that made it", () => {
  const settings = { model: "linear", seed: 7, learningRate: 0.00123, batchSize: 64 } as const;
  expect(fromQuery(toQuery(settings))).toEqual(settings);
});

test.each(["", "?model=cnn", "?seed=-1&learningRate=0&batchSize=3", "?learningRate=1e9&batchSize=1024&seed=x"])(
  "what an address does not say, or says wrongly, is the default: %s",
  (query) => expect(fromQuery(query)).toEqual(defaults.mlp),
);

test("every place of the slider is the place of its own learning rate", () => {
  for (const { low } of Object.values(ranges)) {
    for (let place = 0; place <= 120; place++) expect(placeOf(rateAt(place, low), low)).toBe(place);
  }
});
