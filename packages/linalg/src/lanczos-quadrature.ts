import { tridiagonalEigen } from "./eigen/implicit-ql.js";
import { checkArray, checkFinite, checkInteger, LinalgRangeError } from "./errors.js";
import { addScaled, dot, norm, normalise, orthogonalise } from "./gram-schmidt.js";

export interface QuadratureOptions {
  /** Products, and nodes, at most. Default 40. */
  readonly iterations?: number;
  /**
   * Whether every new vector is made orthogonal to all before it, which takes `iterations` vectors of memory. Without it an
   * eigenvalue that has converged comes back as several nodes, whose weights add up to its own: sums over the nodes
   * stay right (Golub and Strakoš 1994). Default true.
   */
  readonly reorthogonalise?: boolean;
}

export interface Quadrature {
  /** Ritz values, ascending. */
  readonly nodes: Float64Array;
  /** Positive, adding up to 1. */
  readonly weights: Float64Array;
}

/**
 * Gauss quadrature of a symmetric operator's spectrum as a vector sees it, by Lanczos' method:
 *
 *     xᵀ f(A) x / ‖x‖² ≈ Σ_k weights[k] f(nodes[k]),
 *
 * exact for polynomials of degree below twice the number of nodes (Golub and Meurant, 2010, chapter 6).
 *
 * @param apply  Returns A x, [size]; the array is copied before the next call.
 * @param start  x, [size], not zero.
 * @throws LinalgTypeError or LinalgRangeError for an argument that is not allowed, or a product with NaN or infinities.
 */
export async function lanczosQuadrature(
  apply: (x: Float64Array) => Promise<Float64Array>,
  start: Float64Array,
  { iterations = 40, reorthogonalise = true }: QuadratureOptions = {},
): Promise<Quadrature> {
  const where = "lanczosQuadrature";
  const size = start.length;
  checkInteger(where, "iterations", iterations, 1);
  checkFinite(where, "start", start);
  if (norm(start) === 0) throw new LinalgRangeError(`${where}: start: expected a vector other than zero.`);

  const basis = [normalise(start.slice())];
  const alpha: number[] = [];
  const beta: number[] = [];
  let scale = 0;
  for (;;) {
    const last = basis.at(-1)!;
    const product = await apply(last);
    checkArray(where, "the product from apply", product, size, "size");
    checkFinite(where, "the product from apply", product);
    const w = product.slice();
    const along = dot(last, w);
    alpha.push(along);
    if (reorthogonalise) {
      orthogonalise(w, basis);
    } else {
      addScaled(w, -along, last);
      if (basis.length > 1) addScaled(w, -beta.at(-1)!, basis[0]!);
    }
    const remainder = norm(w);
    scale = Math.max(scale, Math.abs(along) + remainder);
    const exhausted = remainder <= 10 * Number.EPSILON * scale;
    if (alpha.length === Math.min(iterations, size) || exhausted) break;
    beta.push(remainder);
    basis.push(normalise(w));
    if (!reorthogonalise && basis.length > 2) basis.shift();
  }
  const nodes = Float64Array.from(alpha);
  const first = new Float64Array(nodes.length);
  first[0] = 1;
  tridiagonalEigen(nodes, Float64Array.from(beta), first, 1);
  return { nodes, weights: first.map((component) => component * component) };
}
