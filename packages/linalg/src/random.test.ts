import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { portableLog } from "./log.js";
import { createRandom, type RandomState } from "./random.js";

describe("createRandom", () => {
  // From a second implementation, in Python with arbitrary-precision integers. A change of these numbers changes every
  // seeded experiment.
  test("gives the stored numbers", () => {
    const words = createRandom("sedge");
    expect(Array.from({ length: 5 }, () => words.bits())).toEqual([
      2722279750, 1849582641, 4227461424, 3666786022, 233728475,
    ]);
    const uniforms = createRandom(42).uniforms(3);
    expect([...uniforms]).toEqual([0.5944874366007783, 0.5379012793965938, 0.002108033722618474]);
    const child = createRandom(42).fork("child");
    expect([child.bits(), child.bits(), child.bits()]).toEqual([2658219427, 1730172021, 4068814260]);
  });

  test("gives the stored normals, after a thousand of which the streams are still in step", () => {
    const rng = createRandom("normals");
    const normals = rng.normals(1000);
    // Table entries may differ from those of the C library's logarithm in the last place.
    [1.215209870254912, -0.5764403318754314, 0.26959764176206313, -0.5830189965042499].forEach((value, i) =>
      expect(Math.abs(normals[i]! - value)).toBeLessThan(4e-16 * Math.abs(value)),
    );
    expect(Math.abs(normals[999]! + 0.5609254397831918)).toBeLessThan(1e-15);
    expect(rng.bits()).toBe(1851417985);
  });

  test("bitsInto continues the same stream", () => {
    const [one, other] = [createRandom("bulk"), createRandom("bulk")];
    const bulk = one.bitsInto(new Uint32Array(1000));
    expect([...bulk]).toEqual(Array.from({ length: 1000 }, () => other.bits()));
    expect(one.state()).toEqual(other.state());
  });

  test("a string and the number it spells are different seeds, 0 and −0 the same", () => {
    expect(createRandom("1").bits()).not.toBe(createRandom(1).bits());
    expect(createRandom(-0).bits()).toBe(createRandom(0).bits());
  });

  test("a restored stream continues with the same numbers, from JSON too", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(50), (seed, drawn) => {
        const rng = createRandom(seed);
        rng.normals(drawn);
        const state = JSON.parse(JSON.stringify(rng.state())) as RandomState;
        const next = rng.normals(5);
        const other = createRandom(1);
        other.restore(state);
        expect(other.normals(5)).toEqual(next);
        expect(other.fork("child").bits()).toBe(rng.fork("child").bits());
      }),
    );
  });

  test("a fork depends on the seed and its name, not on what was drawn", () => {
    const rng = createRandom("parent");
    const before = rng.fork("child").bits();
    rng.normals(10);
    expect(rng.fork("child").bits()).toBe(before);
    expect(rng.fork("other").bits()).not.toBe(before);
    expect(createRandom("child").bits()).not.toBe(before);
  });

  test("streams of neighbouring names are uncorrelated", () => {
    const count = 20_000;
    const parent = createRandom("neighbours");
    const [x, y] = [parent.fork(1).normals(count), parent.fork(2).normals(count)];
    const correlation = x.reduce((sum, value, i) => sum + value * y[i]!, 0) / count;
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(count));
  });
});

// A mean over independent draws lies within four of its standard errors of the truth.
function expectMean(count: number, draw: () => number, mean: number, variance: number): void {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += draw();
  expect(Math.abs(sum / count - mean)).toBeLessThanOrEqual(4 * Math.sqrt(variance / count));
}

describe("distributions", () => {
  test.each([
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96], // E x⁸ − (E x⁴)² = 105 − 9
  ])("moment %i of the normal is %i", (power, mean, variance) => {
    const rng = createRandom(`moment ${power}`);
    expectMean(300_000, () => rng.normal() ** power, mean, variance);
  });

  // P(|x| > a), from tables; 3.6541… is where the ziggurat's tail begins.
  test.each([
    [0.1, 0.92034432544594],
    [1, 0.317310507862914],
    [2, 0.0455002638963584],
    [3, 0.00269979606326019],
    [3.654152885361009, 0.0002580324876539],
    [4, 0.0000633424836662398],
  ])("a normal exceeds %f in size with the right probability", (bound, probability) => {
    const rng = createRandom(`exceeds ${bound}`);
    expectMean(1_000_000, () => Number(Math.abs(rng.normal()) > bound), probability, probability * (1 - probability));
  });

  test("uniforms have mean ½ and variance 1/12, and stay below 1", () => {
    const rng = createRandom("uniform");
    expectMean(200_000, () => rng.uniform(), 1 / 2, 1 / 12);
    expectMean(200_000, () => (rng.uniform() - 0.5) ** 2, 1 / 12, 1 / 180);
    for (let i = 0; i < 10_000; i++) expect(rng.uniform()).toBeLessThan(1);
  });

  test.each([1, 2, 6, 1000, 2 ** 21, 2 ** 21 + 1, 3 * 2 ** 51])("integers below %i are uniform", (n) => {
    const rng = createRandom(`integer ${n}`);
    for (let i = 0; i < 1000; i++) {
      const value = rng.integer(n);
      expect(Number.isInteger(value) && value >= 0 && value < n).toBe(true);
    }
    expectMean(50_000, () => rng.integer(n) / n, (n - 1) / (2 * n), (1 - 1 / n / n) / 12);
  });
});

test("the portable logarithm agrees with Math.log to the last place or two", () => {
  const rng = createRandom("log");
  for (let i = 0; i < 20_000; i++) {
    const x = (rng.uniform() + 2 ** -60) * 2 ** (rng.integer(200) - 100);
    // Near 1 the logarithm is x − 1 to first order, and exact relative to that.
    expect(Math.abs(portableLog(x) - Math.log(x))).toBeLessThanOrEqual(4e-16 * Math.abs(Math.log(x)));
  }
  expect(portableLog(1)).toBe(0);
});

describe("bad arguments are refused by name", () => {
  const rng = createRandom(0);
  test.each<[() => unknown, string]>([
    [() => createRandom(1.5), "createRandom: seed: expected a string or an integer within ±(2⁵³ − 1), got 1.5."],
    [
      () => createRandom(undefined as unknown as string),
      "createRandom: seed: expected a string or an integer, got undefined.",
    ],
    [() => rng.integer(0), "integer: n: expected an integer from 1 to 9007199254740992, got 0."],
    [() => rng.normals(-1), "normals: count: expected an integer of at least 0, got -1."],
    [
      () => rng.bitsInto([] as unknown as Uint32Array),
      "bitsInto: target: expected a Uint32Array, got Array of length 0.",
    ],
    [() => rng.fork(NaN), "fork: name: expected a string or an integer within ±(2⁵³ − 1), got NaN."],
    [
      () => rng.restore({ algorithm: "other" } as unknown as RandomState),
      "restore: state: expected an object from state(), got Object.",
    ],
    [
      () => rng.restore({ ...rng.state(), words: [1, 2, 3, -4] }),
      "restore: state.words: expected an integer from 0 to 4294967295, got -4.",
    ],
  ])("%s", (call, message) => {
    expect(call).toThrow(message);
  });
});
