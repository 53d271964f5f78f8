import { z } from "zod";
import { IngestError } from "../errors.js";

/**
 * JSON as trainers send it. Python's `json.dumps` writes NaN, Infinity and -Infinity bare, which is no JSON; they are read as
 * the strings "NaN", "Infinity", "-Infinity".
 *
 * @throws IngestError `bad-request`
 */
export function parseLenientJson(text: string, path?: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Strings are matched first, so that the words in them stay.
    const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (token) =>
      token.startsWith('"') ? token : `"${token}"`,
    );
    try {
      return JSON.parse(quoted);
    } catch {
      throw new IngestError("bad-request", `${path ?? "the body"}: is not JSON`, path);
    }
  }
}

/** A number, or one that JSON does not have as a string; null, which some encoders write for those, is NaN. */
export const anyNumberSchema = z
  .union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"]), z.null()])
  .describe('A number; "NaN", "Infinity" and "-Infinity" are strings, or bare as Python writes them; null is NaN')
  .transform((value) => (value === null ? NaN : Number(value)));

/**
 * A value by its schema.
 *
 * @param place  Goes before the path of the field at fault: "line 3"
 * @throws IngestError `bad-request` naming the first field at fault.
 */
export function parseAs<T extends z.ZodType>(schema: T, value: unknown, place = ""): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const keys = [...issue.path, ...(issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [])].join(".");
  const path = [place, keys].filter((part) => part !== "").join(": ");
  throw new IngestError("bad-request", `${path || "the body"}: ${issue.message}`, path || undefined);
}
