import { lanczosAsync, type Random } from "@sedge/linalg";
import { BadInput } from "../errors.js";
import type { SymmetricOperator } from "./curvature-operator.js";

export interface TopEigenpairsOptions {
  /** How many of the largest eigenvalues. Default 1. */
  readonly count?: number;
  /** Source of the random start, or of the random part of a warm one. */
  readonly random: Random;
  /** Eigenvectors of an earlier measurement, [P] each, to start near. */
  readonly start?: readonly Float64Array[];
  /** Largest ‖Av − θv‖ relative to the largest Ritz value. Default 1e-3: a value's error is its square over the gap. */
  readonly tolerance?: number;
  /**
   * What is compared with the tolerance: the residual r (default), which makes the vectors good, or `value`, min(r, r²/gap)
   * relative to each value, which takes a third of the products fewer. Restarts go by the residual whatever is asked.
   */
  readonly stop?: "residual" | "value";
  /** Most products in all. Default 100 for each pair. */
  readonly maxProducts?: number;
  /**
   * Bytes for the Lanczos basis, of P float64 a vector. Where it would not fit, pairs are found one after another, each by
   * restarts from its best vector so far, orthogonal to those already found. Default 1 GiB.
   */
  readonly memoryBudget?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface TopEigenpairs {
  /** The largest eigenvalues, descending. */
  readonly values: Float64Array;
  /** Their unit eigenvectors, [P] each. */
  readonly vectors: readonly Float64Array[];
  /** ‖Av − θv‖ of each: an eigenvalue lies within it. */
  readonly ritzResiduals: Float64Array;
  readonly products: number;
  /** Whether all residuals are as small as asked for. */
  readonly converged: boolean;
  /** Vectors that the basis held at most. */
  readonly basisVectors: number;
}

/** The share of a warm start that is random: without it, a start on another eigenvector would never leave it. */
const randomShare = 0.1;
/** With fewer vectors to a cycle, restarts lose more than they gain. */
const leastBasis = 4;

/**
 * The largest eigenvalues of an operator and their vectors, by Lanczos with full reorthogonalisation, the recurrence in
 * float64 whatever the products are made in.
 *
 * A residual proves that an eigenvalue is near, not that none was missed: of an eigenvalue that is repeated, fewer copies
 * may be found than there are, and a start without any component along the top cannot find it (a random one has some).
 *
 * @throws BadInput for options that are not allowed, or a budget below four vectors.
 */
export async function topEigenpairs(
  operator: SymmetricOperator,
  {
    count = 1,
    random,
    start,
    tolerance = 1e-3,
    stop = "residual",
    maxProducts = 100 * count,
    memoryBudget = 2 ** 30,
    signal,
  }: TopEigenpairsOptions,
): Promise<TopEigenpairs> {
  const { size } = operator;
  requireThat(
    "count",
    count,
    Number.isInteger(count) && count >= 1 && count <= size,
    `a whole number from 1 to ${size}`,
  );
  requireThat("tolerance", tolerance, tolerance > 0 && tolerance < 1, "a number above 0 and below 1");
  requireThat("maxProducts", maxProducts, maxProducts >= count, `a number of at least ${count}`);
  const room = Math.floor(memoryBudget / (8 * size));
  requireThat(
    "memoryBudget",
    memoryBudget,
    room >= Math.min(leastBasis, size),
    `at least ${8 * size * leastBasis} bytes`,
  );

  const apply = (vector: Float64Array) => {
    signal?.throwIfAborted();
    return operator.apply(vector);
  };
  if (room >= Math.min(maxProducts, size)) {
    const found = await lanczosAsync(apply, size, {
      wanted: count,
      start: startVector(size, random, start),
      tolerance,
      stop,
      maxIterations: maxProducts,
      rng: random,
    });
    return {
      values: found.values,
      vectors: Array.from({ length: count }, (_, k) => found.vectors.subarray(k * size, (k + 1) * size)),
      ritzResiduals: found.ritzResiduals,
      products: found.iterations,
      converged: found.converged,
      basisVectors: found.iterations,
    };
  }
  return oneAfterAnother(apply, size, { count, random, start, tolerance, maxProducts, room });
}

interface Restarting {
  readonly count: number;
  readonly random: Random;
  readonly start: readonly Float64Array[] | undefined;
  readonly tolerance: number;
  readonly maxProducts: number;
  readonly room: number;
}

/** Each pair by cycles of at most `room` vectors, in the space orthogonal to the pairs before it. */
async function oneAfterAnother(
  apply: (vector: Float64Array) => Promise<Float64Array>,
  size: number,
  { count, random, start, tolerance, maxProducts, room }: Restarting,
): Promise<TopEigenpairs> {
  const found: { value: number; residual: number; vector: Float64Array }[] = [];
  let products = 0;
  let basisVectors = 0;
  const projected = async (vector: Float64Array) => {
    const product = (await apply(without(vector, found))).slice();
    return without(product, found);
  };
  for (let k = 0; k < count; k++) {
    let vector = without(startVector(size, random, start?.slice(k, k + 1)), found);
    for (;;) {
      const left = maxProducts - products - (count - 1 - k);
      const cycle = await lanczosAsync(projected, size, {
        start: vector,
        tolerance,
        maxIterations: Math.max(1, Math.min(room, left)),
        rng: random,
      });
      products += cycle.iterations;
      basisVectors = Math.max(basisVectors, cycle.iterations);
      vector = cycle.vectors;
      const [value, residual] = [cycle.values[0]!, cycle.ritzResiduals[0]!];
      if (cycle.converged || products + (count - 1 - k) >= maxProducts) {
        found.push({ value, residual, vector });
        break;
      }
    }
  }
  found.sort((a, b) => b.value - a.value);
  const scale = Math.abs(found[0]!.value);
  return {
    values: Float64Array.from(found, ({ value }) => value),
    vectors: found.map(({ vector }) => vector),
    ritzResiduals: Float64Array.from(found, ({ residual }) => residual),
    products,
    converged: found.every(({ residual }) => residual <= tolerance * scale),
    basisVectors,
  };
}

/** `vector` less its components along some orthonormal ones, in place. */
function without(vector: Float64Array, others: readonly { readonly vector: Float64Array }[]): Float64Array {
  for (const { vector: other } of others) {
    let along = 0;
    for (let i = 0; i < vector.length; i++) along += other[i]! * vector[i]!;
    for (let i = 0; i < vector.length; i++) vector[i]! -= along * other[i]!;
  }
  return vector;
}

function startVector(size: number, random: Random, warm: readonly Float64Array[] = []): Float64Array {
  const start = random.normals(size);
  if (warm.length === 0) return start;
  const scale = randomShare / Math.sqrt(start.reduce((sum, x) => sum + x * x, 0));
  return start.map((x, i) => warm.reduce((sum, vector) => sum + vector[i]!, 0) + scale * x);
}

function requireThat(name: string, value: number, holds: boolean, expected: string): void {
  if (!holds) throw new BadInput(`topEigenpairs: ${name}: expected ${expected}, got ${value}.`);
}
