import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { testStore } from "./testing/events.js";
import { temporaryFolder } from "./testing/temporary-folder.js";

const packageRoot = fileURLToPath(new URL("..", import.meta.url));

test("the README's examples run and do what they say", async () => {
  const readme = readFileSync(join(packageRoot, "README.md"), "utf8");
  const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
  expect(examples.length).toBe(2);
  const folder = temporaryFolder();
  const place = join(packageRoot, ".cache", `readme-${process.pid}`);
  mkdirSync(place, { recursive: true });
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  for (const [i, code] of examples.entries()) {
    const file = join(place, `example-${i}.ts`);
    const here = code
      .replaceAll('"@sedge/server"', '"../../src/index.js"')
      .replaceAll('".sedge"', JSON.stringify(folder))
      .replaceAll("port: 4060", "port: 0")
      .replaceAll("console.log", "void ");
    writeFileSync(file, here);
    await import(/* @vite-ignore */ pathToFileURL(file).href);
  }
  expect(testStore(folder).run("demo")).toMatchObject({
    id: "demo-1",
    status: "finished",
    latest: { "loss/train": 0.7, "noiseKernel/exact": 0.3 },
  });
});
