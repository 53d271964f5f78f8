import { FunctionBuilder, i32, i64, repeatWhile, when, type Code } from "@sedge/linalg/assembler";

/**
 * Draws what `batches` draws from the same stream. Addresses in bytes: the state is the stream's four words and the turn, counted up
 * once a batch; `seen` has the turn in which each example was last drawn, and is not read with replacement; each example becomes
 * its `outputs` rows, as 32-bit integers from `rows` on. All counts are at least 1.
 */
export type DrawKernel = (
  state: number,
  seen: number,
  rows: number,
  examples: number,
  batchSize: number,
  outputs: number,
  steps: number,
) => void;

export function drawKernel(name: "drawWith" | "drawWithout"): FunctionBuilder {
  const f = new FunctionBuilder(name);
  const parameter = () => f.parameter("i32");
  const [state, seen, rows, examples] = [parameter(), parameter(), parameter(), parameter()];
  const [batchSize, outputs, steps] = [parameter(), parameter(), parameter()];
  const local = () => f.local("i32");
  const [a, b, c, counter, turn] = [local(), local(), local(), local(), local()];
  const [sum, again, range, left] = [local(), local(), local(), local()];
  const [example, row, seenAt] = [local(), local(), local()];
  const product = f.local("i64");
  const words = [a, b, c, counter, turn];

  /** The generator of createRandom: 32 bits into `sum`. */
  const bits: Code = [
    sum.set(i32.add(i32.add(a.get, b.get), counter.get)),
    counter.set(i32.add(counter.get, i32.const(1))),
    a.set(i32.xor(b.get, i32.shiftRight(b.get, i32.const(9)))),
    b.set(i32.add(c.get, i32.shiftLeft(c.get, i32.const(3)))),
    c.set(i32.add(i32.rotateLeft(c.get, i32.const(21)), sum.get)),
  ];
  /** Lemire's method, as in batches.ts: an integer below `range` into `example`. */
  const integer = repeatWhile(again, [
    bits,
    product.set(i64.multiply(range.get, sum.get)),
    again.set(i32.const(0)),
    when(
      i32.below(i64.low(product.get), range.get),
      // 2³² mod n = (2³² − n) mod n.
      again.set(i32.below(i64.low(product.get), i32.remainder(i32.subtract(i32.const(0), range.get), range.get))),
    ),
    example.set(i64.high(product.get)),
  ]);
  const lastSeen = seenAt.set(i32.add(seen.get, i32.shiftLeft(example.get, i32.const(2))));
  const unlessSeen: Code = [
    lastSeen,
    example.set(
      i32.select(i32.equal(i32.load(seenAt.get), turn.get), i32.subtract(range.get, i32.const(1)), example.get),
    ),
    lastSeen,
    i32.store(seenAt.get, turn.get),
  ];
  f.body = [
    words.map((word, at) => word.set(i32.load(state.get, 4 * at))),
    repeatWhile(steps, [
      left.set(batchSize.get),
      repeatWhile(left, [
        range.set(name === "drawWith" ? examples.get : i32.subtract(i32.add(examples.get, i32.const(1)), left.get)),
        integer,
        name === "drawWith" ? [] : unlessSeen,
        row.set(i32.multiply(example.get, outputs.get)),
        again.set(outputs.get),
        repeatWhile(again, [
          i32.store(rows.get, row.get),
          rows.set(i32.add(rows.get, i32.const(4))),
          row.set(i32.add(row.get, i32.const(1))),
          again.set(i32.subtract(again.get, i32.const(1))),
        ]),
        left.set(i32.subtract(left.get, i32.const(1))),
      ]),
      turn.set(i32.add(turn.get, i32.const(1))),
      steps.set(i32.subtract(steps.get, i32.const(1))),
    ]),
    words.map((word, at) => i32.store(state.get, word.get, 4 * at)),
  ];
  return f;
}
