import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRandom } from "@sedge/linalg";
import { expect, test } from "vitest";
import { criticalBatchSize, criticalLearningRate, linearSystem, noiseKernel } from "./index.js";
import * as theory from "./index.js";

const readme = new URL("../README.md", import.meta.url);
const docs = new URL("../../../docs/theory/", import.meta.url);

test("the README's example does what it says", () => {
  const text = readFileSync(readme, "utf8");
  const system = linearSystem({ jacobian: createRandom("readme").normals(20 * 30), examples: 20 });
  const { exact, diagonal, deterministicRatio, binding, stable } = noiseKernel(system, {
    learningRate: 0.05,
    batchSize: 3,
  });
  const rate = criticalLearningRate(system, { batchSize: 3 });
  const batch = criticalBatchSize(system, { learningRate: 0.15 });
  for (const said of [
    `// exact ${exact.toFixed(3)}, diagonal ${diagonal.toFixed(3)}, deterministicRatio ${deterministicRatio.toFixed(3)}: binding "${binding}", stable ${stable}`,
    `criticalLearningRate(system, { batchSize: 3 }); // { value: ${rate.value.toFixed(4)}, edge: "${rate.edge}" }`,
    `criticalBatchSize(system, { learningRate: 0.15 }); // { value: ${batch.value.toFixed(2)}, edge: "${batch.edge}" }: batches of ${Math.ceil(batch.value)} and more are stable`,
    'const jacobian = createRandom("readme").normals(20 * 30);',
    "noiseKernel(system, { learningRate: 0.05, batchSize: 3 });",
  ])
    expect(text).toContain(said);
});

test("the README's table names every function there is", () => {
  const names = Object.keys(theory).filter((name) => !name.endsWith("Error"));
  for (const name of names) expect(readFileSync(readme, "utf8")).toContain(`\`${name}\``);
});

test("every file that docs/theory and the README link to exists, and holds the function that the link names", () => {
  const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
  expect(pages.length).toBeGreaterThan(5);
  for (const page of [readme, ...pages.map((name) => new URL(name, docs))]) {
    for (const [, label, target] of readFileSync(page, "utf8").matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)) {
      if (target!.startsWith("https:")) continue;
      const file = new URL(target!, page);
      expect(existsSync(file), `${page.pathname} links to ${target}`).toBe(true);
      for (const [, name] of label!.matchAll(/`(\w+)`/g)) {
        if (file.pathname.endsWith(".ts")) expect(readFileSync(file, "utf8")).toContain(`function ${name}(`);
      }
    }
  }
});
