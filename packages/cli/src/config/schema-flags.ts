import { Option, type Command } from "commander";
import type { z } from "zod";

/** One leaf of a config schema and the flag that sets it. */
export interface SchemaFlag {
  /** Where the value goes: `["data", "testExamples"]`. */
  readonly path: readonly string[];
  /** `--data.test-examples` */
  readonly flag: string;
  /** What to write after the flag. */
  readonly placeholder: string;
  /** The key's own description, with its default and, for an enumeration, what is allowed. */
  readonly description: string;
  /** From the text on the command line to the value that the schema checks. */
  readonly parse: (text: string) => unknown;
}

/** What of zod's definitions is needed here. */
interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly defaultValue?: unknown;
}

/**
 * A flag for every leaf of an object schema, in the schema's order.
 *
 * @param schema  Objects within objects become dots: `data.testExamples` is `--data.test-examples`.
 * @param prefix  Path of `schema` in the config.
 */
export function schemaFlags(schema: z.ZodType, prefix: readonly string[] = []): SchemaFlag[] {
  const shape = (unwrap(schema).schema as { shape?: Record<string, z.ZodType> }).shape;
  if (shape === undefined) throw new TypeError("schemaFlags: expected the schema of an object.");
  return Object.entries(shape).flatMap(([key, value]) => {
    const path = [...prefix, key];
    const { schema: inner, fallback } = unwrap(value);
    if ("shape" in inner) return schemaFlags(inner, path);
    return [leafFlag(path, inner, value.description ?? inner.description ?? "", fallback)];
  });
}

/** Adds the flags to a command. */
export function addFlags(command: Command, flags: readonly SchemaFlag[]): void {
  for (const { flag, placeholder, description } of flags) {
    command.addOption(new Option(`${flag} <${placeholder}>`, description));
  }
}

/**
 * The values of the flags that were given, as a nested object. What is no number stays text, for the schema to refuse
 * with its own message.
 *
 * @param given  The options of the command, as commander has them.
 */
export function flagValues(flags: readonly SchemaFlag[], given: Readonly<Record<string, unknown>>): object {
  const values: Record<string, unknown> = {};
  for (const { path, flag, parse } of flags) {
    const text = given[new Option(flag).attributeName()];
    if (typeof text !== "string") continue;
    let place = values;
    for (const key of path.slice(0, -1)) place = (place[key] ??= {}) as Record<string, unknown>;
    place[path.at(-1)!] = parse(text);
  }
  return values;
}

/** `over` on top of `base`; objects are merged, everything else is replaced. */
export function mergeConfig(base: unknown, over: unknown): unknown {
  if (!isRecord(base) || !isRecord(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    merged[key] = key in merged ? mergeConfig(merged[key], value) : value;
  }
  return merged;
}

function leafFlag(path: readonly string[], schema: z.ZodType, text: string, fallback: unknown): SchemaFlag {
  const { type, element } = definition(schema);
  const names = path.map((key) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
  const values = "options" in schema ? (schema.options as readonly string[]).join(" | ") : "";
  const notes = [values, fallback === undefined ? "" : `default ${showDefault(fallback)}`].filter(Boolean);
  return {
    path,
    flag: `--${names.join(".")}`,
    placeholder: type === "array" ? "a,b,…" : (placeholders[type] ?? "text"),
    description: `${text}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}`,
    parse: type === "array" && element !== undefined ? listOf(parserOf(element)) : parserOf(schema),
  };
}

const placeholders: Readonly<Record<string, string>> = { number: "number", boolean: "true|false", enum: "name" };

function parserOf(schema: z.ZodType): (text: string) => unknown {
  const { type } = definition(schema);
  if (type === "number") return toNumber;
  if (type === "boolean") return (text) => (text === "true" ? true : text === "false" ? false : text);
  return (text) => text;
}

/** The empty text is the empty list: a model without hidden layers. */
const listOf = (parse: (text: string) => unknown) => (text: string) =>
  text.trim() === "" ? [] : text.split(",").map((entry) => parse(entry.trim()));

function toNumber(text: string): unknown {
  const value = Number(text);
  return text.trim() === "" || Number.isNaN(value) ? text : value;
}

/** The schema inside defaults and optionals, and the default found on the way. */
function unwrap(schema: z.ZodType): { schema: z.ZodType; fallback: unknown } {
  let fallback: unknown;
  let inner = schema;
  for (;;) {
    const { type, innerType, defaultValue } = definition(inner);
    if (innerType === undefined) return { schema: inner, fallback };
    if (type === "default") fallback ??= defaultValue;
    inner = innerType;
  }
}

const definition = (schema: z.ZodType) => schema.def as unknown as Definition;
const showDefault = (value: unknown) => (Array.isArray(value) ? value.join(",") : String(value));
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
