/** erf and atan in float64, for which ONNX Runtime has no kernels. */
import type { Builder } from "../builder/builder.js";
import type { Value } from "../ir/graph.js";

/** Rational functions p(t)/q(t), lowest power first; from fdlibm's s_erf.c (Sun Microsystems, 1993). */
const nearZero = {
  p: [
    1.28379167095512558561e-1, -3.2504210724700149937e-1, -2.84817495755985104766e-2, -5.77027029648944159157e-3,
    -2.37630166566501626084e-5,
  ],
  q: [
    1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3, 1.32494738004321644526e-4,
    -3.9602282787753681232e-6,
  ],
};
const nearOne = {
  p: [
    -2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1, 3.18346619901161753674e-1,
    -1.10894694282396677476e-1, 3.54783043256182359371e-2, -2.166375594868790843e-3,
  ],
  q: [
    1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2, 1.26171219808761642112e-1,
    1.36370839120290507362e-2, 1.1984499846799107417e-2,
  ],
};
const middle = {
  p: [
    -9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1, -6.23753324503260060396e1,
    -1.62396669462573470355e2, -1.84605092906711035994e2, -8.12874355063065934246e1, -9.81432934416914548592,
  ],
  q: [
    1, 1.96512716674392571292e1, 1.376577541435190426e2, 4.34565877475229228821e2, 6.45387271733267880336e2,
    4.29008140027567833386e2, 1.08635005541779435134e2, 6.57024977031928170135, -6.04244152148580987438e-2,
  ],
};
const tail = {
  p: [
    -9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1, -1.60636384855821916062e2,
    -6.37566443368389627722e2, -1.02509513161107724954e3, -4.83519191608651397019e2,
  ],
  q: [
    1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3, 3.19985821950859553908e3,
    2.55305040643316442583e3, 4.74528541206955367215e2, -2.24409524465858183362e1,
  ],
};
const ERF_1 = 8.45062911510467529297e-1;

/** erf(x) to a few units in the last place. The branches meet at |x| = 0.84375, 1.25, 1/0.35 and 6. */
export function erf64(g: Builder, x: Value): Value {
  const size = g.abs(x);
  const small = g.add(x, g.mul(x, ratio(g, nearZero, g.mul(x, x))));
  const one = g.add(ratio(g, nearOne, g.sub(size, 1)), ERF_1);
  // 1 − erf = exp(−x² − 0.5625 + p/q)/|x| in t = 1/x². Clipped below: only larger |x| use it.
  const away = g.max(size, 0.84375);
  const square = g.mul(away, away);
  const t = g.reciprocal(square);
  const rest = g.where(g.less(size, 1 / 0.35), ratio(g, middle, t), ratio(g, tail, t));
  const complement = g.div(g.exp(g.sub(rest, g.add(square, 0.5625))), away);
  const far = g.where(g.less(size, 6), g.sub(1, complement), 1);
  const signed = g.mul(g.sign(x), g.where(g.less(size, 1.25), one, far));
  return g.where(g.less(size, 0.84375), small, signed);
}

const ratio = (g: Builder, { p, q }: { p: readonly number[]; q: readonly number[] }, t: Value): Value =>
  g.div(horner(g, p, t), horner(g, q, t));

const horner = (g: Builder, coefficients: readonly number[], t: Value): Value =>
  coefficients
    .slice(0, -1)
    .reduceRight<Value | number>(
      (sum, coefficient) => g.add(typeof sum === "number" ? g.mul(t, sum) : g.mul(sum, t), coefficient),
      coefficients.at(-1)!,
    ) as Value;

/**
 * atan(x). Three times atan(x) = 2·atan(x / (1 + √(1 + x²))) brings |x| under tan(π/16) = 0.199, where the series
 * x − x³/3 + x⁵/5 − … needs eleven terms.
 */
export function atan64(g: Builder, x: Value): Value {
  let reduced = x;
  for (let i = 0; i < 3; i++) reduced = g.div(reduced, g.add(g.sqrt(g.add(g.mul(reduced, reduced), 1)), 1));
  const series = Array.from({ length: 11 }, (_, k) => (-1) ** k / (2 * k + 1));
  return g.mul(g.mul(reduced, horner(g, series, g.mul(reduced, reduced))), 8);
}

export const asin64 = (g: Builder, x: Value): Value => atan64(g, g.div(x, g.sqrt(g.sub(1, g.mul(x, x)))));
