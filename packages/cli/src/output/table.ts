import Table from "cli-table3";
import type { Colours } from "../io.js";

export interface Column {
  readonly title: string;
  /** Numbers right, words left (the default). */
  readonly align?: "left" | "right";
}

/**
 * A table with a rule under its head and nothing else: easy to read, and to cut with the shell's tools.
 *
 * @param rows  One text a column; colours in it do not count towards its width.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], colours: Colours): string {
  const drawn = new Table({
    head: columns.map(({ title }) => colours.bold(title)),
    colAligns: columns.map(({ align = "left" }) => align),
    chars: {
      ...{ top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "" },
      ...{ "bottom-left": "", "bottom-right": "", left: "", "left-mid": "", right: "", "right-mid": "" },
      ...{ mid: "", "mid-mid": "", middle: "  " },
    },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  drawn.push(...rows.map((row) => [...row]));
  const [head, ...body] = drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
  return [head!, ...body].join("\n");
}

/** `name  value` lines, the names padded to the same width. */
export function pairs(entries: readonly (readonly [string, string])[], colours: Colours): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${colours.dim(name.padEnd(width))}  ${value}`).join("\n");
}
