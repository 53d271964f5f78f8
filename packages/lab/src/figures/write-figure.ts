import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DataTable, Study } from "./figure.js";
import { renderPng } from "./plotting/png.js";
import { drawSheet } from "./plotting/sheet.js";
import { darkTheme, lightTheme } from "./plotting/theme.js";

/**
 * Writes a figure to a folder: `NAME-light.svg`, `.png`, the same in dark, `NAME.json` with settings, checks and all
 * numbers, and `NAME-a.csv` … for each panel. All or nothing: files appear when every one of them has been made.
 *
 * @returns Their paths, pictures first.
 */
export function writeFigure<Data>(figure: Study<Data>, data: Data, folder: string): string[] {
  const { name, title } = figure;
  const files = new Map<string, string | Uint8Array>();
  for (const theme of [lightTheme, darkTheme]) {
    const svg = drawSheet(figure.sheet(data, theme), theme);
    files.set(`${name}-${theme.name}.svg`, svg);
    files.set(`${name}-${theme.name}.png`, renderPng(svg));
  }
  const tables = figure.tables(data);
  const record = { name, title, settings: figure.settings(data), checks: figure.checks(data), tables };
  files.set(`${name}.json`, `${jsonWithNonFinite(record)}\n`);
  for (const [letter, table] of Object.entries(tables)) files.set(`${name}-${letter}.csv`, tableToCsv(table));
  return writeFiles(folder, files);
}

/** Writes files beside their final places first and then moves all of them there. */
export function writeFiles(folder: string, files: ReadonlyMap<string, string | Uint8Array>): string[] {
  mkdirSync(folder, { recursive: true });
  const paths = [...files.keys()].map((name) => join(folder, name));
  const unfinished = (path: string) => `${path}.${process.pid}.tmp`;
  try {
    for (const [name, content] of files) writeFileSync(unfinished(join(folder, name)), content);
    for (const path of paths) renameSync(unfinished(path), path);
  } finally {
    for (const path of paths) rmSync(unfinished(path), { force: true });
  }
  return paths;
}

/** RFC 4180 with a header line. Numbers in full precision; NaN and the infinities as JavaScript and pandas spell them. */
export function tableToCsv(table: DataTable): string {
  const names = Object.keys(table);
  const length = Math.max(0, ...names.map((name) => table[name]!.length));
  const lines = [names.map(csvField).join(",")];
  for (let row = 0; row < length; row++) lines.push(names.map((name) => csvField(table[name]![row] ?? "")).join(","));
  return `${lines.join("\n")}\n`;
}

function csvField(value: number | string): string {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** JSON has no NaN and no infinity: they become the strings "NaN", "Infinity", "-Infinity", as in the HTTP API. */
export function jsonWithNonFinite(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, entry: unknown) => (typeof entry === "number" && !Number.isFinite(entry) ? String(entry) : entry),
    1,
  );
}
