import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = dirname(fileURLToPath(import.meta.url));

/** Every module that `file` reaches, with `#native` resolved as package.json does outside Node. */
function reachable(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(file, "utf8");
  for (const [, typeOnly, specifier] of text.matchAll(/^(?:import|export) (type )?[^;]*?from "([^"]+)";/gms)) {
    if (typeOnly) continue;
    if (specifier === "#native") reachable(join(source, "native/browser.ts"), found);
    else if (specifier!.startsWith(".")) reachable(join(dirname(file), specifier!.replace(/\.js$/, ".ts")), found);
    else found.add(specifier!);
  }
  return found;
}

test("outside Node the package imports nothing but its own files", () => {
  const modules = reachable(join(source, "index.ts"));
  expect(modules.size).toBeGreaterThan(10);
  expect([...modules].filter((name) => !name.startsWith(source))).toEqual([]);
  expect([...modules].filter((name) => name.includes("/native/"))).toEqual([join(source, "native/browser.ts")]);
});

test("package.json gives Node its half and everyone else the browser's", () => {
  const { imports } = JSON.parse(readFileSync(join(source, "../package.json"), "utf8")) as {
    imports: Record<string, Record<string, Record<string, string>>>;
  };
  const { node, default: others } = imports["#native"]!;
  expect(Object.keys(imports["#native"]!)).toEqual(["node", "default"]);
  expect(node!["default"]).toBe("./dist/native/node.js");
  expect(others!["default"]).toBe("./dist/native/browser.js");
});
