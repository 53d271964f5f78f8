/** Ways of damaging a file or a message, as transfers, disks, editors and attackers do. */
import fc from "fast-check";

/** One change: what, where (a share of the length), and two numbers whose meaning depends on it. */
interface Change {
  readonly kind: (typeof kinds)[number];
  readonly at: number;
  readonly value: number;
  readonly length: number;
}

const kinds = ["bit", "byte", "word", "cut", "remove", "repeat", "insert", "token", "splice"] as const;

/** Counts and lengths that break naive readers: signs, roundings of 2³¹ and 2³², floats' infinities, just over and under. */
const words = [
  0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x7ff00000,
];

/** Pieces of JSON, YAML and headers. */
const tokens = [
  ...[
    "null",
    "true",
    "NaN",
    "-1",
    "1e309",
    "1e-400",
    "0x10",
    "9007199254740993",
    "-0",
    '""',
    "[]",
    "{}",
    "[[[[",
    "{{",
    "]",
    "}",
  ],
  ...[
    '"__proto__"',
    '"constructor"',
    "__proto__: 1",
    "&a [*a]",
    "<<: *a",
    "!!binary x",
    "? x",
    "- - -",
    "\t",
    "\0",
    "\ufeff",
    "'",
    ",",
  ],
];

/**
 * Damaged versions of the samples: up to six changes each. One in thirty is noise from the start.
 *
 * @param samples  Whole inputs; changes splice one with another.
 */
export function damaged(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change: fc.Arbitrary<Change> = fc.record({
    kind: fc.constantFrom(...kinds),
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    value: fc.nat(),
    length: fc.nat(64),
  });
  const changed = fc
    .tuple(fc.nat(samples.length - 1), fc.array(change, { minLength: 1, maxLength: 6 }))
    .map(([sample, changes]) => changes.reduce((bytes, next) => apply(bytes, next, samples), samples[sample]!));
  return fc.oneof({ weight: 29, arbitrary: changed }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) });
}

function apply(bytes: Uint8Array, { kind, at, value, length }: Change, samples: readonly Uint8Array[]): Uint8Array {
  const start = Math.floor(at * bytes.length);
  switch (kind) {
    case "bit":
      return overwritten(bytes, start, [(bytes[start] ?? 0) ^ (1 << (value % 8))]);
    case "byte":
      return overwritten(bytes, start, [value % 256]);
    case "word": {
      const word = new DataView(new ArrayBuffer(4));
      word.setUint32(0, words[value % words.length]!, length % 2 === 0);
      return overwritten(bytes, start, new Uint8Array(word.buffer));
    }
    case "cut":
      return bytes.subarray(0, start);
    case "remove":
      return joined(bytes.subarray(0, start), bytes.subarray(start + length));
    case "repeat":
      return joined(bytes.subarray(0, start + length), bytes.subarray(start));
    case "insert":
      return joined(bytes.subarray(0, start), new Uint8Array(length).fill(value % 256), bytes.subarray(start));
    case "token": {
      const token = new TextEncoder().encode(tokens[value % tokens.length]);
      return joined(bytes.subarray(0, start), token, bytes.subarray(start + (length % 8)));
    }
    case "splice": {
      const other = samples[value % samples.length]!;
      return joined(bytes.subarray(0, start), other.subarray(Math.floor(at * other.length)));
    }
  }
}

function overwritten(bytes: Uint8Array, start: number, values: ArrayLike<number>): Uint8Array {
  const copy = bytes.slice();
  for (let i = 0; i < values.length && start + i < copy.length; i++) copy[start + i] = values[i]!;
  return copy;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
