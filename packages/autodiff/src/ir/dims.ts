/**
 * Symbolic dimensions. A dimension is a number, or a string that is a polynomial in named sizes with integer
 * coefficients: "batch", "10*batch", "batch*time+1". Strings are kept canonical, so equal dimensions are equal strings.
 * What no polynomial expresses (a floor, the length of a data-dependent result) is an atom of its own, "floor(batch/2)".
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** Monomial ("" is the constant term, "batch*time" a product of sorted atoms) → coefficient. */
type Polynomial = Map<string, number>;

const parsed = new Map<string, Polynomial>();

export const isStatic = (shape: Shape): shape is readonly number[] => shape.every((dim) => typeof dim === "number");

/** "[batch, 10]" */
export const show = (shape: Shape): string => `[${shape.join(", ")}]`;

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((dim, axis) => dim === b[axis]);

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  const sum = new Map(polynomial(a));
  for (const [monomial, coefficient] of polynomial(b)) accumulate(sum, monomial, coefficient);
  return format(sum);
}

export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(b, -1));

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  const product: Polynomial = new Map();
  for (const [left, x] of polynomial(a)) {
    for (const [right, y] of polynomial(b)) accumulate(product, joinMonomials(left, right), x * y);
  }
  return format(product);
}

/** floor(a / b); exact where a is a multiple of b as a polynomial by a monomial, else an atom. */
export function divideDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return Math.floor(a / b);
  if (a === b) return 1;
  if (b === 1) return a;
  return exactQuotient(a, b) ?? `floor(${atomic(a)}/${atomic(b)})`;
}

/** a / b where b divides every term of a, else null. */
export function exactQuotient(a: Dim, b: Dim): Dim | null {
  const divisor = [...polynomial(b)];
  if (divisor.length !== 1) return a === b ? 1 : null;
  const [monomial, coefficient] = divisor[0]!;
  const quotient: Polynomial = new Map();
  for (const [term, x] of polynomial(a)) {
    const rest = removeAtoms(term, monomial);
    if (rest === null || x % coefficient !== 0) return null;
    accumulate(quotient, rest, x / coefficient);
  }
  return format(quotient);
}

/** The number of elements. */
export const sizeOf = (shape: Shape): Dim => shape.reduce((product, dim) => multiplyDims(product, dim), 1 as Dim);

/** The names a dimension is made of: "10*batch*time" → ["batch", "time"]. */
export function atomsOf(dim: Dim): string[] {
  if (typeof dim === "number") return [];
  return [...new Set([...polynomial(dim).keys()].flatMap(atoms))];
}

/** The polynomial as data: each term's coefficient and atoms. For rebuilding a dimension at run time. */
export const termsOf = (dim: Dim): { coefficient: number; atoms: string[] }[] =>
  [...polynomial(dim)].map(([monomial, coefficient]) => ({ coefficient, atoms: atoms(monomial) }));

/** True where the two can be told apart for certain: 3 and 4, n and n+1. A size is never negative. */
export function surelyDiffer(a: Dim, b: Dim): boolean {
  const difference = subtractDims(a, b);
  if (typeof difference === "number") return difference !== 0;
  const terms = [...polynomial(difference)];
  const constant = polynomial(difference).get("") ?? 0;
  return constant > 0 ? terms.every(([, x]) => x > 0) : constant < 0 && terms.every(([, x]) => x < 0);
}

const atoms = (monomial: string): string[] => (monomial === "" ? [] : monomial.split("*"));

const joinMonomials = (a: string, b: string): string => [...atoms(a), ...atoms(b)].sort().join("*");

// Inside a floor, "*" and "+" would be read as structure; other signs stand for them.
const atomic = (dim: Dim): string => String(dim).replaceAll("*", "·").replaceAll("+", "⊕").replaceAll("-", "⊖");

function removeAtoms(from: string, remove: string): string | null {
  const rest = atoms(from);
  for (const atom of atoms(remove)) {
    const at = rest.indexOf(atom);
    if (at < 0) return null;
    rest.splice(at, 1);
  }
  return rest.join("*");
}

function accumulate(target: Polynomial, monomial: string, coefficient: number): void {
  const sum = (target.get(monomial) ?? 0) + coefficient;
  if (sum === 0) target.delete(monomial);
  else target.set(monomial, sum);
}

function polynomial(dim: Dim): Polynomial {
  if (typeof dim === "number") return dim === 0 ? new Map<string, number>() : new Map([["", dim]]);
  let terms = parsed.get(dim);
  if (terms === undefined) {
    terms = new Map();
    for (const [, sign, term] of dim.matchAll(/([+-]?)([^+-]+)/g)) {
      const factors = term!.split("*");
      const leading = /^\d+$/.test(factors[0]!) ? Number(factors.shift()) : 1;
      accumulate(terms, factors.sort().join("*"), sign === "-" ? -leading : leading);
    }
    parsed.set(dim, terms);
  }
  return terms;
}

function format(terms: Polynomial): Dim {
  const names = [...terms.keys()].sort((a, b) => (a === "" ? 1 : b === "" ? -1 : a < b ? -1 : 1));
  if (names.length === 0) return 0;
  if (names.length === 1 && names[0] === "") return terms.get("")!;
  const text = names.map((monomial) => {
    const coefficient = terms.get(monomial)!;
    const magnitude = Math.abs(coefficient);
    const body = monomial === "" ? `${magnitude}` : magnitude === 1 ? monomial : `${magnitude}*${monomial}`;
    return (coefficient < 0 ? "-" : "+") + body;
  });
  return text.join("").replace(/^\+/, "");
}
