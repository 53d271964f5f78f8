/**
 * A WebAssembly assembler with the few instructions that the kernels need: code is nested arrays of bytes, flattened when
 * a module is put together. https://webassembly.github.io/spec/core/binary/
 */
export type Code = number | readonly Code[];

const TYPES = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof TYPES;

/** A parameter or local variable of a function. */
export interface Variable {
  readonly get: Code;
  set(value: Code): Code;
}

export class FunctionBuilder {
  readonly parameters: ValueType[] = [];
  readonly locals: ValueType[] = [];
  body: Code = [];

  constructor(readonly name: string) {}

  /** All parameters come before the first local. */
  parameter(type: ValueType): Variable {
    this.parameters.push(type);
    return variable(this.parameters.length - 1);
  }

  local(type: ValueType): Variable {
    this.locals.push(type);
    return variable(this.parameters.length + this.locals.length - 1);
  }
}

function variable(index: number): Variable {
  return { get: [0x20, unsigned(index)], set: (value) => [value, 0x21, unsigned(index)] };
}

/** LEB128 of a natural number below 2³¹. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
  return bytes;
}

/** LEB128 of a signed 32-bit integer. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (; value < -0x40 || value >= 0x40; value >>= 7) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value & 0x7f);
  return bytes;
}

const binary =
  (opcode: Code) =>
  (a: Code, b: Code): Code => [a, b, opcode];
const simd = (opcode: number): Code => [0xfd, unsigned(opcode)];

export const i32 = {
  const: (value: number): Code => [0x41, signed(value)],
  add: binary(0x6a),
  subtract: binary(0x6b),
  multiply: binary(0x6c),
  /** The remainder of unsigned integers. */
  remainder: binary(0x70),
  xor: binary(0x73),
  shiftLeft: binary(0x74),
  /** Unsigned. */
  shiftRight: binary(0x76),
  rotateLeft: binary(0x77),
  /** Comparisons are 1 or 0; below and atLeast are of unsigned integers. */
  equal: binary(0x46),
  below: binary(0x49),
  atLeast: binary(0x4f),
  load: (address: Code, offset = 0): Code => [address, 0x28, 0, unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0x36, 0, unsigned(offset)],
  /** `a` where the condition is not 0, otherwise `b`; both are evaluated. */
  select: (condition: Code, a: Code, b: Code): Code => [a, b, condition, 0x1b],
};

/** Of two unsigned 32-bit integers. */
export const i64 = {
  multiply: (a: Code, b: Code): Code => [a, 0xad, b, 0xad, 0x7e],
  low: (value: Code): Code => [value, 0xa7],
  high: (value: Code): Code => [value, 0x42, 32, 0x88, 0xa7],
};

/** Two float64 lanes. Addresses are in bytes; the offset is a constant added to them. No alignment is assumed. */
export const f64x2 = {
  load: (address: Code, offset = 0): Code => [address, simd(0x00), 0, unsigned(offset)],
  /** One number, in both lanes. */
  loadSplat: (address: Code, offset = 0): Code => [address, simd(0x0a), 0, unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, simd(0x0b), 0, unsigned(offset)],
  zero: [simd(0x0c), Array<number>(16).fill(0)] as Code,
  /** The value in both lanes. */
  splat: (value: Code): Code => [value, simd(0x14)],
  add: binary(simd(0xf0)),
  subtract: binary(simd(0xf1)),
  multiply: binary(simd(0xf2)),
  /** The sum of the two lanes. */
  sum: (value: Variable): Code => [value.get, simd(0x21), 0, value.get, simd(0x21), 1, 0xa0],
};

/** Four float32 lanes, as `f64x2`. */
export const f32x4 = {
  load: f64x2.load,
  loadSplat: (address: Code, offset = 0): Code => [address, simd(0x09), 0, unsigned(offset)],
  store: f64x2.store,
  zero: f64x2.zero,
  add: binary(simd(0xe4)),
  multiply: binary(simd(0xe6)),
};

export const f64 = {
  const: (value: number): Code => [0x44, ...new Uint8Array(new Float64Array([value]).buffer)],
  load: (address: Code, offset = 0): Code => [address, 0x2b, 0, unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0x39, 0, unsigned(offset)],
  add: binary(0xa0),
  multiply: binary(0xa2),
  negate: (value: Code): Code => [value, 0x9a],
};

/** Runs `body` as long as the i32 variable is not 0 at its end; at least once. */
export function repeatWhile(counter: Variable, body: Code): Code {
  return [0x03, 0x40, body, counter.get, 0x0d, 0, 0x0b];
}

/** Runs `body` if the condition is not 0. */
export function when(condition: Code, body: Code): Code {
  return [condition, 0x04, 0x40, body, 0x0b];
}

/** The bytes of a module that imports its memory as `env.memory` and exports the functions by name. */
export function assembleModule(functions: readonly FunctionBuilder[]): Uint8Array<ArrayBuffer> {
  const flatten = (code: Code): number[] => [code].flat(Infinity as 1) as number[];
  const vector = (items: readonly Code[]): Code => [unsigned(items.length), ...items];
  const sized = (code: Code): Code => {
    const bytes = flatten(code);
    return [unsigned(bytes.length), bytes];
  };
  const text = (value: string): Code => vector([...value].map((letter) => letter.charCodeAt(0)));
  const section = (id: number, items: readonly Code[]): Code => [id, sized(vector(items))];
  const types = (list: readonly ValueType[]): Code[] => list.map((type) => TYPES[type]);
  return Uint8Array.from(
    flatten([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(
        1,
        functions.map((f) => [0x60, vector(types(f.parameters)), 0]),
      ),
      section(2, [[text("env"), text("memory"), 2, 0, 1]]),
      section(
        3,
        functions.map((_, index) => unsigned(index)),
      ),
      section(
        7,
        functions.map((f, index) => [text(f.name), 0, unsigned(index)]),
      ),
      section(
        10,
        functions.map((f) => sized([vector(types(f.locals).map((type) => [1, type])), f.body, 0x0b])),
      ),
    ]),
  );
}
