import { expect, test } from "vitest";
import {
  type Code,
  f32x4,
  f64,
  f64x2,
  FunctionBuilder,
  i32,
  i64,
  repeatWhile,
  when,
  type Variable,
} from "./assembler.js";
import { compileModule, instantiate } from "./module.js";

/** Runs a function of addresses 0 and 8 … on the memory, and returns the memory. */
function run(build: (f: FunctionBuilder, pointer: Variable) => Code, ...memory: number[]): Float64Array {
  const f = new FunctionBuilder("run");
  const pointer = f.parameter("i32");
  f.body = build(f, pointer);
  const module = compileModule([f]);
  expect(module).not.toBeNull();
  const instance = instantiate(module!, memory.length);
  instance.memory.set(memory);
  instance.exports["run"]!(0);
  return instance.memory.subarray(0, memory.length);
}

test("float64 arithmetic", () => {
  const x = (p: Variable): Code => f64.load(p.get);
  const y = (p: Variable): Code => f64.load(p.get, 8);
  expect(run((_, p) => f64.store(p.get, f64.add(x(p), y(p)), 16), 3, 5, 0)).toEqual(Float64Array.of(3, 5, 8));
  expect(run((_, p) => f64.store(p.get, f64.multiply(x(p), y(p)), 16), 3, 5, 0)).toEqual(Float64Array.of(3, 5, 15));
  expect(run((_, p) => f64.store(p.get, f64.negate(x(p))), 3)).toEqual(Float64Array.of(-3));
  expect(run((_, p) => f64.store(p.get, f64.const(-0.1)), 3)).toEqual(Float64Array.of(-0.1));
});

test("two lanes at a time", () => {
  const pair = (operation: (a: Code, b: Code) => Code): Float64Array =>
    run((_, p) => f64x2.store(p.get, operation(f64x2.load(p.get), f64x2.load(p.get, 16)), 16), 2, 3, 10, 20);
  expect(pair(f64x2.add)).toEqual(Float64Array.of(2, 3, 12, 23));
  expect(pair(f64x2.subtract)).toEqual(Float64Array.of(2, 3, -8, -17));
  expect(pair(f64x2.multiply)).toEqual(Float64Array.of(2, 3, 20, 60));
  expect(run((_, p) => f64x2.store(p.get, f64x2.loadSplat(p.get, 8)), 1, 7)).toEqual(Float64Array.of(7, 7));
  expect(run((_, p) => f64x2.store(p.get, f64x2.splat(f64.load(p.get))), 4, 7)).toEqual(Float64Array.of(4, 4));
  expect(run((_, p) => f64x2.store(p.get, f64x2.zero), 1, 7)).toEqual(Float64Array.of(0, 0));
  const sum = run(
    (f, p) => {
      const both = f.local("v128");
      return [both.set(f64x2.load(p.get)), f64.store(p.get, f64x2.sum(both), 16)];
    },
    1,
    7,
    0,
  );
  expect(sum[2]).toBe(8);
});

test("four lanes at a time", () => {
  const quadruple = (operation: (p: Variable) => Code): Float32Array => {
    const singles = Float32Array.of(2, 3, 5, 7, 10, 20, 30, 40);
    const words = new Float64Array(singles.buffer);
    return new Float32Array(run((_, p) => f32x4.store(p.get, operation(p)), ...words).slice().buffer, 0, 4);
  };
  const [a, b] = [(p: Variable) => f32x4.load(p.get), (p: Variable) => f32x4.load(p.get, 16)];
  expect(quadruple((p) => f32x4.add(a(p), b(p)))).toEqual(Float32Array.of(12, 23, 35, 47));
  expect(quadruple((p) => f32x4.multiply(a(p), b(p)))).toEqual(Float32Array.of(20, 60, 150, 280));
  expect(quadruple((p) => f32x4.loadSplat(p.get, 12))).toEqual(Float32Array.of(7, 7, 7, 7));
  expect(quadruple(() => f32x4.zero)).toEqual(new Float32Array(4));
});

test("integers, and a loop that counts down", () => {
  // Constants over one LEB128 byte and below zero: 1000 + (-200) - 792 = 8, an address.
  const address = i32.subtract(i32.add(i32.const(1000), i32.const(-200)), i32.const(792));
  expect(run((_, p) => f64.store(address, f64.load(p.get)), 5, 0)).toEqual(Float64Array.of(5, 5));
  // The low word of 2⁻¹⁰⁷⁴ is the integer 1: the loop runs three times that, 1 + 1 + 1 steps.
  const tripled = run(
    (f, p) => {
      const left = f.local("i32");
      const one = i32.load(p.get);
      return [
        left.set(i32.add(one, i32.add(one, one))),
        repeatWhile(left, [
          f64.store(p.get, f64.add(f64.load(p.get, 8), f64.load(p.get, 16)), 8),
          left.set(i32.subtract(left.get, one)),
        ]),
      ];
    },
    Number.MIN_VALUE,
    0,
    5,
  );
  expect(tripled[1]).toBe(15);
});

test("unsigned integers, products of 64 bits, and branches", () => {
  const [big, small] = [0xfffffff0 | 0, 48];
  const integers = (operation: (a: Code, b: Code) => Code): number => {
    const words = new Float64Array(Int32Array.of(big, small, 0, 0).buffer);
    const after = run((_, p) => i32.store(p.get, operation(i32.load(p.get), i32.load(p.get, 4)), 8), ...words);
    return new Uint32Array(after.slice().buffer)[2]!;
  };
  expect(integers(i32.multiply)).toBe(Math.imul(big, small) >>> 0);
  expect(integers(i32.remainder)).toBe((big >>> 0) % small);
  expect(integers(i32.xor)).toBe((big ^ small) >>> 0);
  expect(integers((a) => i32.shiftLeft(a, i32.const(3)))).toBe((big << 3) >>> 0);
  expect(integers((a) => i32.shiftRight(a, i32.const(3)))).toBe(big >>> 3);
  expect(integers((a) => i32.rotateLeft(a, i32.const(8)))).toBe(0xfffff0ff);
  expect(integers(i32.equal)).toBe(0);
  expect(integers((a) => i32.equal(a, a))).toBe(1);
  expect(integers(i32.below)).toBe(0);
  expect(integers(i32.atLeast)).toBe(1);
  expect(integers((a, b) => i32.select(i32.const(0), a, b))).toBe(small);
  expect(integers((a, b) => i32.select(i32.const(7), a, b))).toBe(big >>> 0);
  const product = BigInt(big >>> 0) * BigInt(small);
  for (const [part, value] of [
    [i64.low, product & 0xffffffffn],
    [i64.high, product >> 32n],
  ] as const) {
    const words = new Float64Array(Int32Array.of(big, small, 0, 0).buffer);
    const after = run(
      (f, p) => {
        const wide = f.local("i64");
        return [wide.set(i64.multiply(i32.load(p.get), i32.load(p.get, 4))), i32.store(p.get, part(wide.get), 8)];
      },
      ...words,
    );
    expect(new Uint32Array(after.slice().buffer)[2]).toBe(Number(value));
  }
  expect(run((_, p) => when(i32.const(0), f64.store(p.get, f64.load(p.get, 8))), 3, 5)[0]).toBe(3);
  expect(run((_, p) => when(i32.const(2), f64.store(p.get, f64.load(p.get, 8))), 3, 5)[0]).toBe(5);
});

test("a module that an engine refuses is null, not an exception", () => {
  const f = new FunctionBuilder("broken");
  f.body = [0xff];
  expect(compileModule([f])).toBeNull();
});
