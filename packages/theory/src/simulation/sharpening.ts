import { multiply } from "@sedge/linalg";
import { checkInteger, checkNumber, finiteArray } from "../errors.js";
import { checkOptions, resolveDynamics, type SgdSettings } from "../settings.js";
import { leftSingularVectors, weight, type Weighting } from "./quadratic-model.js";

/** A quadratic regression model whose Q is random, as randomQuadraticModel draws it, seen before it is drawn. */
export interface SharpeningInput {
  /** D. */
  readonly examples: number;
  /** P. */
  readonly params: number;
  /** J, [D, P]. */
  readonly jacobian: ArrayLike<number>;
  /** z, [D]. */
  readonly residual: ArrayLike<number>;
  /** Standard deviation of an off-diagonal entry of Q, before `weighting`. */
  readonly curvature: number;
  /** Default "flat". */
  readonly weighting?: Weighting | undefined;
}

/** Expected change of each eigenvalue of J Jᵀ/D, [D], in ascending order of the eigenvalue; NaN for repeated eigenvalues. */
export interface ExpectedSharpening {
  /** The eigenvalues themselves, [D]. */
  readonly eigenvalues: Float64Array;
  /** E[λ_1 − λ_0], the first step's. */
  readonly first: Float64Array;
  /** E[λ_2 − 2λ_1 + λ_0]: whether the sharpening gathers pace (progressive) or wanes. */
  readonly second: Float64Array;
}

/**
 * The expected sharpening of a random quadratic model in its first two steps of SGD, in closed form, to second order in Q. The first
 * order vanishes in expectation. Derived in docs/theory/quadratic-model.md; with ε = η/B, u = JᵀP z, w and φ the singular vectors,
 *
 *     E[Δλ_μ]  = ε² S_μ(u),   S_μ(u) = (P+1)V_μ E‖u‖² + Σ_{ν≠μ} { λ_μV_ν E[‖u‖² + (u·φ_μ)²] + λ_νV_μ E[‖u‖² + (u·φ_ν)²] } / (λ_μ − λ_ν)
 *     E[Δ²λ_μ] = ε² [S_μ(u₀+u₁) − 2 S_μ(u₀)] + 2ε²β λ_μV_μ { (P+1) β (w_μ·z)² − (P+2) ε λ_μ E(w_μ·P z)² }
 *
 * for λ of J Jᵀ; what is returned is divided by D. The last braces are progressive sharpening and what the damping of the residual,
 * larger for the noise of a small batch, takes back of it.
 *
 * @throws TheoryRangeError or TheoryTypeError for anything out of range
 */
export function expectedSharpening(
  input: SharpeningInput,
  settings: Pick<SgdSettings, "learningRate" | "batchSize" | "sampling">,
): ExpectedSharpening {
  const where = "expectedSharpening";
  checkOptions(where, "input", input);
  const { examples, params, curvature, weighting = "flat" } = input;
  checkInteger(where, "examples", examples, 1);
  checkInteger(where, "params", params, 1);
  checkNumber(where, "curvature", curvature, (x) => x >= 0 && Number.isFinite(x), "a finite number of at least 0");
  const shape = `examples × params = ${examples} × ${params}`;
  const jacobian = finiteArray(where, "jacobian", input.jacobian, examples * params, shape);
  const residual = finiteArray(where, "residual", input.residual, examples, "examples");
  const { learningRate, batchSize, sampling } = settings;
  const { kappa, c } = resolveDynamics(where, examples, { learningRate, batchSize, sampling });
  const { values: sigma, vectors } = leftSingularVectors(jacobian, examples, params);
  const lambda = sigma.map((value) => value * value);
  const variance = sigma.map((value) => weight(where, weighting, value) * curvature * curvature);
  const epsilon = learningRate / batchSize;
  const beta = batchSize / examples;
  const along = multiply(residual, vectors, { rows: 1, inner: examples, columns: examples }); // w_μ·z

  /** E(w_μ·P y)² for a y with second moments `projected` = E(w_μ·y)² and `squares` = E y_i². */
  const drawn = (projected: (mu: number) => number, squares: ArrayLike<number>): Float64Array =>
    lambda.map((_, mu) => {
      let sum = 0;
      for (let i = 0; i < examples; i++) sum += vectors[i * examples + mu]! ** 2 * squares[i]!;
      return beta * beta * (kappa * projected(mu) + c * sum);
    });
  const now = drawn(
    (mu) => along[mu]! ** 2,
    residual.map((z) => z * z),
  );
  const next = afterOneStep({ vectors, lambda, along, residual, epsilon, beta, kappa, c });
  const then = drawn((mu) => next.projected[mu]!, next.squares);

  // (u·φ_μ)² = λ_μ (w_μ·P z)², and likewise for u₁ and for the two together.
  const u0 = now.map((value, mu) => lambda[mu]! * value);
  const u1 = then.map((value, mu) => lambda[mu]! * value);
  const both = now.map((value, mu) => lambda[mu]! * beta * (beta * along[mu]! ** 2 - epsilon * lambda[mu]! * value));
  const first = secondOrder(lambda, variance, params, u0);
  const later = secondOrder(lambda, variance, params, u1);
  const crossed = secondOrder(lambda, variance, params, both);
  const scale = (epsilon * epsilon) / examples;
  return {
    eigenvalues: lambda.map((value) => value / examples),
    first: first.map((value) => scale * value),
    second: lambda.map((value, mu) => {
      const progressive = (params + 1) * beta * along[mu]! ** 2;
      const conservative = (params + 2) * epsilon * value * now[mu]!;
      const feedback = 2 * beta * value * variance[mu]! * (progressive - conservative);
      return scale * (later[mu]! - first[mu]! + 2 * crossed[mu]! + feedback);
    }),
  };
}

/** S_μ for a u with E(u·φ_μ)² = `shares`, of which E‖u‖² is the sum. */
function secondOrder(lambda: Float64Array, variance: Float64Array, params: number, shares: Float64Array): Float64Array {
  const total = shares.reduce((sum, share) => sum + share, 0);
  return lambda.map((value, mu) => {
    let sum = (params + 1) * variance[mu]! * total;
    for (let nu = 0; nu < lambda.length; nu++) {
      if (nu === mu) continue;
      const own = value * variance[nu]! * (total + shares[mu]!);
      const other = lambda[nu]! * variance[mu]! * (total + shares[nu]!);
      sum += (own + other) / (value - lambda[nu]!);
    }
    return Number.isFinite(sum) ? sum : NaN;
  });
}

/** Second moments of z₁ = (I − ε J JᵀP)z, J held fixed: E(w_μ·z₁)² and E z₁ᵢ². */
function afterOneStep(given: {
  readonly vectors: Float64Array;
  readonly lambda: Float64Array;
  readonly along: Float64Array;
  readonly residual: Float64Array;
  readonly epsilon: number;
  readonly beta: number;
  readonly kappa: number;
  readonly c: number;
}) {
  const { vectors, lambda, along, residual, epsilon, beta, kappa, c } = given;
  const size = lambda.length;
  const square = { rows: size, inner: size, columns: size };
  const weighted = vectors.map((entry, at) => entry * residual[Math.floor(at / size)]!);
  const noise = multiply(weighted, weighted, { ...square, transposeA: true }); // Σ_i w_μi w_νi z_i²
  const moments = new Float64Array(size * size);
  for (let mu = 0; mu < size; mu++) {
    for (let nu = 0; nu < size; nu++) {
      const [p, q] = [epsilon * beta * lambda[mu]!, epsilon * beta * lambda[nu]!];
      const product = along[mu]! * along[nu]!;
      moments[mu * size + nu] =
        (1 - p) * (1 - q) * product + p * q * ((kappa - 1) * product + c * noise[mu * size + nu]!);
    }
  }
  const half = multiply(vectors, moments, square);
  const squares = new Float64Array(size);
  for (let i = 0; i < size; i++)
    for (let mu = 0; mu < size; mu++) squares[i]! += half[i * size + mu]! * vectors[i * size + mu]!;
  return { projected: Float64Array.from({ length: size }, (_, mu) => moments[mu * size + mu]!), squares };
}
