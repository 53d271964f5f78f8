import { checkInteger, describe, LinalgRangeError, LinalgTypeError } from "./errors.js";
import { portableLog } from "./log.js";

/** All that a stream is: plain data, safe in JSON. Restoring it continues the stream with the very next number. */
export interface RandomState {
  readonly algorithm: "sfc32";
  /** What forks are named from: the stream's own 128-bit name. */
  readonly key: readonly [number, number, number, number];
  /** The generator's 128 bits as four unsigned 32-bit integers. */
  readonly words: readonly [number, number, number, number];
}

/**
 * A seeded stream of random numbers, the same on every machine: integer arithmetic throughout, and normals from
 * additions, multiplications, divisions and square roots, which IEEE 754 fixes to the last bit.
 */
export interface Random {
  /** Uniform on [0, 1), a multiple of 2⁻⁵³. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform on 0, 1, …, n − 1, without bias. */
  integer(n: number): number;
  /** 32 random bits, as an unsigned integer. */
  bits(): number;
  /** Fills `target` with random bits: what calling `bits` for each would give, faster. */
  bitsInto(target: Uint32Array): Uint32Array;
  /** `count` standard normals. */
  normals(count: number): Float64Array;
  /** `count` numbers uniform on [0, 1). */
  uniforms(count: number): Float64Array;
  /** An independent stream that depends on this one's seed and on `name`, not on what has been drawn from it. */
  fork(name: string | number): Random;
  state(): RandomState;
  /** @throws LinalgTypeError or LinalgRangeError unless it came from `state()` */
  restore(state: RandomState): void;
}

/**
 * @param seed any string, or an integer
 * @throws LinalgRangeError for a number that is not a safe integer, LinalgTypeError for anything else
 */
export function createRandom(seed: number | string): Random {
  checkName("createRandom", "seed", seed);
  return new Sfc32(hash([0, 0, 0, 0], seed));
}

function checkName(where: string, argument: string, value: unknown): asserts value is number | string {
  if (typeof value === "string") return;
  if (typeof value !== "number")
    throw new LinalgTypeError(`${where}: ${argument}: expected a string or an integer, got ${describe(value)}.`);
  if (!Number.isSafeInteger(value))
    throw new LinalgRangeError(
      `${where}: ${argument}: expected a string or an integer within ±(2⁵³ − 1), got ${value}.`,
    );
}

type Words = readonly [number, number, number, number];

/** 128 bits from four lanes of multiply–rotate mixing over the UTF-16 units of the name. 1 and "1" differ. */
function hash([a, b, c, d]: Words, name: number | string): Words {
  const text = typeof name === "number" ? `#${name === 0 ? 0 : name}` : `"${name}`;
  a ^= 0x9e3779b9;
  b ^= 0x85ebca6b;
  c ^= 0xc2b2ae35;
  d ^= 0x27d4eb2f;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ unit, 0x239b961b);
    b = c ^ Math.imul(b ^ unit, 0xab0e9789);
    c = d ^ Math.imul(c ^ unit, 0x38b34ae5);
    d = a ^ Math.imul(d ^ unit, 0xa1e38b93);
    a = (a << 13) | (a >>> 19);
    c = (c << 17) | (c >>> 15);
  }
  for (let round = 0; round < 4; round++) {
    a = mix((a + b + text.length) | 0);
    b = mix((b + c) | 0);
    c = mix((c + d) | 0);
    d = mix((d + a) | 0);
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

/** The finaliser of MurmurHash3: every input bit flips every output bit with probability near ½. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** Chris Doty-Humphrey's small fast counter: 128 bits of state, passes PractRand beyond 32 TB. */
class Sfc32 implements Random {
  #key: Words;
  /** In a typed array: as fields, integers beyond 31 bits would be boxed. */
  readonly #words: Int32Array;

  constructor(key: Words) {
    this.#key = key;
    this.#words = Int32Array.from(key);
    for (let i = 0; i < 16; i++) this.bits();
  }

  bits(): number {
    const words = this.#words;
    const b = words[1]!;
    const c = words[2]!;
    const sum = (words[0]! + b + words[3]!) | 0;
    words[3]! += 1;
    words[0] = b ^ (b >>> 9);
    words[1] = c + (c << 3);
    words[2] = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  }

  bitsInto(target: Uint32Array): Uint32Array {
    if (!(target instanceof Uint32Array))
      throw new LinalgTypeError(`bitsInto: target: expected a Uint32Array, got ${describe(target)}.`);
    const words = this.#words;
    let [a, b, c, counter] = [words[0]!, words[1]!, words[2]!, words[3]!];
    for (let i = 0; i < target.length; i++) {
      const sum = (a + b + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + sum) | 0;
      target[i] = sum;
    }
    words.set([a, b, c, counter]);
    return target;
  }

  uniform(): number {
    const high = this.bits() >>> 5;
    return (high * 67108864 + (this.bits() >>> 6)) * 2 ** -53;
  }

  integer(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= 2 ** 53)) checkInteger("integer", "n", n, 1, 2 ** 53);
    if (n <= 2 ** 21) {
      // Lemire: the high word of n·bits, rejecting the few low words that would make some results likelier. Below 2⁵³, so exact.
      for (;;) {
        const product = n * this.bits();
        const high = Math.floor(product * 2 ** -32);
        const low = product - high * 2 ** 32;
        if (low >= n || low >= 2 ** 32 % n) return high;
      }
    }
    const limit = 2 ** 53 - (2 ** 53 % n);
    for (;;) {
      const draw = this.uniform() * 2 ** 53;
      if (draw < limit) return draw % n;
    }
  }

  /** Marsaglia and Tsang's ziggurat of 256 layers, with the layer, the sign and 53 bits of position all drawn apart. */
  normal(): number {
    for (;;) {
      const bits = this.bits();
      const layer = bits & 255;
      const position = (((bits >>> 9) & 0x1fffff) * 2 ** 32 + this.bits()) * 2 ** -53;
      const x = position * EDGE[layer]!;
      const sign = bits & 256 ? -1 : 1;
      if (x < EDGE[layer + 1]!) return sign * x;
      if (layer === 0) return sign * this.#tail();
      const y = HEIGHT[layer]! + this.uniform() * (HEIGHT[layer + 1]! - HEIGHT[layer]!);
      if (portableLog(y) < -0.5 * x * x) return sign * x;
    }
  }

  /** A normal beyond the ziggurat's base, by Marsaglia's exact method. */
  #tail(): number {
    for (;;) {
      const x = -portableLog(1 - this.uniform()) / TAIL;
      const y = -portableLog(1 - this.uniform());
      if (y + y > x * x) return TAIL + x;
    }
  }

  normals(count: number): Float64Array {
    checkInteger("normals", "count", count, 0);
    const result = new Float64Array(count);
    for (let i = 0; i < count; i++) result[i] = this.normal();
    return result;
  }

  uniforms(count: number): Float64Array {
    checkInteger("uniforms", "count", count, 0);
    const result = new Float64Array(count);
    for (let i = 0; i < count; i++) result[i] = this.uniform();
    return result;
  }

  fork(name: string | number): Random {
    checkName("fork", "name", name);
    return new Sfc32(hash(this.#key, name));
  }

  state(): RandomState {
    const words = Uint32Array.from(this.#words);
    return { algorithm: "sfc32", key: this.#key, words: [words[0]!, words[1]!, words[2]!, words[3]!] };
  }

  restore(state: RandomState): void {
    if (typeof state !== "object" || state === null || state.algorithm !== "sfc32")
      throw new LinalgTypeError(`restore: state: expected an object from state(), got ${describe(state)}.`);
    for (const name of ["key", "words"] as const) {
      if (!Array.isArray(state[name]) || state[name].length !== 4)
        throw new LinalgTypeError(`restore: state.${name}: expected four integers, got ${describe(state[name])}.`);
      for (const word of state[name]) checkInteger("restore", `state.${name}`, word, 0, 2 ** 32 - 1);
    }
    this.#key = [...state.key];
    this.#words.set(state.words);
  }
}

/** Where the ziggurat's base ends and the tail begins, and the area of each layer: 256 equal ones fill exp(−x²/2). */
const TAIL = 3.654152885361009;
const AREA = 0.004928673233974655;

/**
 * EDGE[i] is the right edge of layer i (for the base, i = 0, of the rectangle as wide as its area with the tail), and
 * HEIGHT[i] its lower side: HEIGHT[i+1] = HEIGHT[i] + AREA/EDGE[i], EDGE[i+1] = √(−2 log HEIGHT[i+1]).
 */
const { EDGE, HEIGHT } = ziggurat();

function ziggurat(): { EDGE: Float64Array; HEIGHT: Float64Array } {
  const EDGE = new Float64Array(257);
  const HEIGHT = new Float64Array(257);
  const base = 0.0012602859304985975; // exp(−TAIL²/2)
  EDGE[0] = AREA / base;
  EDGE[1] = TAIL;
  HEIGHT[1] = base;
  for (let i = 1; i < 255; i++) {
    HEIGHT[i + 1] = HEIGHT[i]! + AREA / EDGE[i]!;
    EDGE[i + 1] = Math.sqrt(-2 * portableLog(HEIGHT[i + 1]!));
  }
  HEIGHT[256] = 1;
  return { EDGE, HEIGHT };
}
