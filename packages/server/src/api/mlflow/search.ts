import type { RunSummary } from "../../store/events.js";
import { MlflowError } from "./errors.js";
import { paramsOf, runInfoMessage, type MlflowDetails } from "./messages.js";

/** A run with what MLflow knows of it. */
export interface Candidate {
  readonly run: RunSummary;
  readonly details: MlflowDetails;
}

type Value = string | number | undefined;

const identifier = /^(?:(metrics?|params?|parameters?|tags?|attributes?|attr|run)\.)?(`[^`]+`|"[^"]+"|[\w./-]+)$/;
const comparison =
  /^\s*((?:\w+\.)?(?:`[^`]+`|"[^"]+"|[\w./-]+))\s*(!=|<=|>=|=|<|>|\blike\b|\bilike\b)\s*('(?:[^']*)'|"(?:[^"]*)"|-?[\d.]+(?:e[+-]?\d+)?)\s*/i;

/**
 * MLflow's search language, https://mlflow.org/docs/latest/search-runs.html, without IN and IS NULL: comparisons of metrics,
 * params, tags and attributes, joined by `and`.
 *
 * @throws MlflowError INVALID_PARAMETER_VALUE showing the part that is not understood
 */
export function parseFilter(filter: string): (candidate: Candidate) => boolean {
  const tests: ((candidate: Candidate) => boolean)[] = [];
  let rest = filter;
  while (rest.trim() !== "") {
    if (tests.length > 0) {
      const and = /^\s*and\s+/i.exec(rest);
      if (and === null) throw notUnderstood(rest);
      rest = rest.slice(and[0].length);
    }
    const match = comparison.exec(rest);
    if (match === null) throw notUnderstood(rest);
    tests.push(comparing(readerOf(match[1]!), match[2]!.toLowerCase(), match[3]!));
    rest = rest.slice(match[0].length);
  }
  return (candidate) => tests.every((test) => test(candidate));
}

/** `order_by`: `metrics.loss DESC`, one after the other; then the newest first, as the runs come. */
export function parseOrder(clauses: readonly string[]): (a: Candidate, b: Candidate) => number {
  const orders = clauses.map((clause) => {
    const match = /^\s*(.+?)(?:\s+(asc|desc))?\s*$/i.exec(clause);
    if (match === null) throw notUnderstood(clause);
    return { read: readerOf(match[1]!), sign: match[2]?.toLowerCase() === "desc" ? -1 : 1 };
  });
  return (a, b) => {
    for (const { read, sign } of orders) {
      const [x, y] = [read(a), read(b)];
      // What is not there comes last, in either direction; so does NaN.
      const [missingX, missingY] = [isMissing(x), isMissing(y)];
      if (missingX || missingY) {
        if (missingX !== missingY) return missingX ? 1 : -1;
      } else if (x! < y!) return -sign;
      else if (x! > y!) return sign;
    }
    return 0;
  };
}

const isMissing = (value: Value) => value === undefined || Number.isNaN(value);

function readerOf(name: string): (candidate: Candidate) => Value {
  const match = identifier.exec(name.trim());
  if (match === null) throw notUnderstood(name);
  const key = match[2]!.replace(/^[`"]|[`"]$/g, "");
  switch (match[1]?.[0]) {
    case "m":
      return ({ run }) => own(run.latest, key);
    case "p":
      return ({ run }) => own(paramsOf(run), key);
    case "t":
      return ({ run, details }) => own<string>({ "mlflow.runName": run.name, ...details.tags }, key);
    default: {
      const attribute = { created: "start_time", "Run Name": "run_name", "run name": "run_name" }[key] ?? key;
      return ({ run, details }) => own(runInfoMessage(run, details) as Readonly<Record<string, Value>>, attribute);
    }
  }
}

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

function comparing(read: (candidate: Candidate) => Value, operator: string, literal: string) {
  const quoted = /^['"]/.test(literal);
  const text = quoted ? literal.slice(1, -1) : literal;
  return (candidate: Candidate): boolean => {
    const value = read(candidate);
    if (value === undefined) return false;
    if (operator === "like" || operator === "ilike") return like(String(value), text, operator === "ilike");
    const [a, b] = typeof value === "number" ? [value, Number(text)] : [value, text];
    switch (operator) {
      case "=":
        return a === b;
      case "!=":
        return a !== b;
      case "<":
        return a < b;
      case "<=":
        return a <= b;
      case ">":
        return a > b;
      default:
        return a >= b;
    }
  };
}

/** SQL's LIKE: `%` stands for any text, `_` for one character. */
function like(value: string, pattern: string, ignoreCase: boolean): boolean {
  const [text, wanted] = ignoreCase ? [value.toLowerCase(), pattern.toLowerCase()] : [value, pattern];
  // Greedy with one place to come back to, so linear in practice: no pattern can make it take exponential time.
  let [t, p, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (wanted[p] === "%") [star, mark, p] = [p, t, p + 1];
    else if (p < wanted.length && (wanted[p] === "_" || wanted[p] === text[t])) [t, p] = [t + 1, p + 1];
    else if (star >= 0) [p, t, mark] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (wanted[p] === "%") p++;
  return p === wanted.length;
}

function notUnderstood(part: string): MlflowError {
  const expected = "expected comparisons like metrics.loss < 0.5, joined by and";
  return new MlflowError(
    "INVALID_PARAMETER_VALUE",
    `search: cannot read ${JSON.stringify(part.slice(0, 100))}; ${expected}.`,
  );
}
