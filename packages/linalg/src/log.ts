const SCRATCH = new Float64Array(1);
const BITS = new Uint32Array(SCRATCH.buffer);

/**
 * The natural logarithm of a positive normal number from additions, multiplications and divisions alone.
 *
 * IEEE 754 fixes every bit of those, and leaves Math.log to each engine. Within 1 ulp (the argument reduction and the
 * polynomial of fdlibm: x = 2ᵏ(1+f), s = f/(2+f), log(1+f) = 2s + s·R(s²)).
 */
export function portableLog(x: number): number {
  SCRATCH[0] = x;
  const high = BITS[HIGH]!;
  let k = (high >>> 20) - 1023;
  // Scale to [√½, √2).
  const mantissa = high & 0xfffff;
  const shift = (mantissa + 0x95f64) & 0x100000;
  BITS[HIGH] = mantissa | (shift ^ 0x3ff00000);
  k += shift >>> 20;
  const f = SCRATCH[0] - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const odd = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + even + odd) + k * LN2_LOW) - f);
}

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** Which half holds the exponent: the machine's byte order. */
const HIGH = ((): 0 | 1 => {
  SCRATCH[0] = 1;
  return BITS[0] === 0 ? 1 : 0;
})();
