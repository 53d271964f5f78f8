/** The layout's promises that ESLint cannot see: no module imports itself through others. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.(test|bench|d)\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** What a module imports at run time from its own package: type-only imports are erased and may point anywhere. */
function imports(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    const isImport =
      ts.isImportDeclaration(statement) && statement.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword;
    const isExport = ts.isExportDeclaration(statement) && !statement.isTypeOnly;
    if (!isImport && !isExport) return [];
    const name = statement.moduleSpecifier;
    if (name === undefined || !ts.isStringLiteral(name) || !name.text.startsWith(".")) return [];
    const target = join(dirname(file), name.text.replace(/\.js$/, ""));
    return [`${target}.ts`, `${target}.tsx`].filter(existsSync);
  });
}

/** The first cycle met by a depth-first walk, as a list of modules, or null. */
function cycle(graph: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): string[] | null => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return null;
    for (const next of graph.get(node) ?? []) {
      const found = walk(next, [...path, node]);
      if (found) return found;
    }
    done.add(node);
    return null;
  };
  for (const node of graph.keys()) {
    const found = walk(node, []);
    if (found) return found;
  }
  return null;
}

test("cycle finds a cycle and passes a diamond", () => {
  expect(
    cycle(
      new Map([
        ["a", ["b"]],
        ["b", ["c"]],
        ["c", ["b"]],
      ]),
    ),
  ).toEqual(["b", "c", "b"]);
  expect(
    cycle(
      new Map([
        ["a", ["b", "c"]],
        ["b", ["d"]],
        ["c", ["d"]],
        ["d", []],
      ]),
    ),
  ).toBeNull();
});

test.each(["linalg", "theory", "autodiff", "lab", "server", "cli"])("packages/%s has no import cycle", (name) => {
  const files = sources(join(root, "packages", name, "src"));
  const found = cycle(new Map(files.map((file) => [file, imports(file)])));
  expect(found?.map((file) => relative(root, file)) ?? []).toEqual([]);
});

test("apps/web has no import cycle", () => {
  const files = sources(join(root, "apps/web/src"));
  const found = cycle(new Map(files.map((file) => [file, imports(file)])));
  expect(found?.map((file) => relative(root, file)) ?? []).toEqual([]);
});
