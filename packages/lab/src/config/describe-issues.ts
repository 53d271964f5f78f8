import type { z } from "zod";

/**
 * The faults of a rejected value, one clause each: `model.activation: expected tanh, erf, gelu or relu, got "sin"`.
 *
 * @param error   From `safeParse(value, { reportInput: true })`: without that, what was given is not known.
 * @param schema  The schema that rejected it, to name the keys it allows beside an unknown one.
 */
export function describeIssues(error: z.ZodError, schema?: z.ZodType): string[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String).join(".");
    if (issue.code === "unrecognized_keys") {
      const allowed = keysAt(schema, issue.path);
      return issue.keys.map((key) => `${[...issue.path.map(String), key].join(".")}: unknown key${allowed}`);
    }
    return [`${path || "config"}: ${clause(issue)}`];
  });
}

function clause(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type": {
      const expected = issue.expected === "int" ? "a whole number" : withArticle(issue.expected);
      return `expected ${expected}, got ${show(issue.input)}`;
    }
    case "invalid_value":
      return `expected ${list(issue.values.map(String))}, got ${show(issue.input)}`;
    case "too_small":
    case "too_big": {
      const bound = issue.code === "too_small" ? issue.minimum : issue.maximum;
      const under = issue.code === "too_small";
      if (issue.origin === "string" || issue.origin === "array") {
        const unit = issue.origin === "string" ? "character" : "entry";
        const units = Number(bound) === 1 ? unit : unit === "entry" ? "entries" : "characters";
        return `expected ${under ? "at least" : "at most"} ${bound} ${units}, got ${show(issue.input)}`;
      }
      const words = issue.inclusive ? (under ? "at least" : "at most") : under ? "above" : "below";
      return `expected a number ${words} ${bound}, got ${show(issue.input)}`;
    }
    default:
      return issue.message;
  }
}

/** The allowed keys of the object at `path`, as a clause; empty where the schema does not tell. */
function keysAt(schema: z.ZodType | undefined, path: readonly PropertyKey[]): string {
  let shape = shapeOf(schema);
  for (const step of path) shape = shapeOf(shape?.[String(step)]);
  return shape === undefined ? "" : `; allowed are ${Object.keys(shape).join(", ")}`;
}

function shapeOf(schema: z.ZodType | undefined): Record<string, z.ZodType> | undefined {
  if (schema === undefined) return undefined;
  if ("shape" in schema) return schema.shape as Record<string, z.ZodType>;
  // A default, a prefault or an optional wraps the schema that it completes.
  const inner = (schema as { def?: { innerType?: z.ZodType } }).def?.innerType;
  return shapeOf(inner);
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value); // JSON would show NaN and Infinity as null
  return JSON.stringify(value);
}

function list(values: readonly string[]): string {
  return values.length < 2 ? values.join("") : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}

const withArticle = (noun: string) => `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
