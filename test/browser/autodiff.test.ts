/** The same graphs in a real browser, through onnxruntime-web, give the values that they give in Node. */
import { createServer, type Server } from "node:http";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { webExceptions } from "../../packages/autodiff/src/testing/operator-table.js";
import { autodiffCases, operatorCases, type CaseResult } from "./autodiff-cases.js";
import { launchBrowser } from "./chromium.js";

const engineFolder = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));

let server: Server;
let browser: Browser;
let page: Page;
let bundle: string;

beforeAll(async () => {
  bundle = await bundleCases();
  server = createServer((request, response) => {
    // Threads need shared memory, which a page has only in isolation.
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const path = request.url ?? "/";
    if (path === "/")
      return void response.setHeader("Content-Type", "text/html").end("<!doctype html><title>autodiff</title>");
    if (path === "/cases.js") return void response.setHeader("Content-Type", "text/javascript").end(bundle);
    const file = /^\/(ort-wasm-simd-threaded(?:\.[a-z]+)?\.(?:mjs|wasm))$/.exec(path)?.[1];
    if (file === undefined) return void response.writeHead(404).end();
    response.setHeader("Content-Type", file.endsWith(".wasm") ? "application/wasm" : "text/javascript");
    response.end(readFileSync(join(engineFolder, file)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

async function bundleCases(): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["@sedge/source", "onnxruntime-web-use-extern-wasm", "browser", "import", "default"] },
    build: {
      write: false,
      minify: false,
      target: "es2022",
      rolldownOptions: { output: { codeSplitting: false } },
      lib: { entry: join(import.meta.dirname, "autodiff-cases.ts"), formats: ["es"] },
    },
  });
  const [chunk] = (output as Rolldown.RolldownOutput[])[0]!.output;
  return chunk.code;
}

test("the browser bundle imports nothing of Node", () => {
  expect(bundle).not.toMatch(/\bfrom ?["']node:|onnxruntime-node|require\(["']node:/);
});

test("gradients, products, float64 and training come out as in Node", async () => {
  // As text: the test runner rewrites imports in functions, which the page would not understand.
  const inBrowser = await page.evaluate<Record<string, CaseResult>>(
    `import("/cases.js").then((module) => module.autodiffCases("/"))`,
  );
  const inNode = await autodiffCases();
  expect(Object.keys(inBrowser)).toEqual(Object.keys(inNode));
  for (const [name, expected] of Object.entries(inNode)) expectClose(name, inBrowser[name]!, expected);
});

test("WebGPU computes where the browser has an adapter, and is refused with the reason where it has none", async () => {
  const adapter = await page.evaluate<boolean>(
    `(async () => navigator.gpu !== undefined && (await navigator.gpu.requestAdapter()) !== null)()`,
  );
  const result = await page.evaluate<readonly number[] | string>(
    `import("/cases.js").then((module) => module.webgpuCase("/"))`,
  );
  expect(result).toEqual(
    adapter
      ? [2, 4]
      : 'RangeError: compile: device "webgpu" is not available here: there is no WebGPU adapter. Use device "cpu".',
  );
});

test("every operator and its gradient come out as in Node, in both precisions", async () => {
  const inBrowser = await page.evaluate<Record<string, CaseResult | string>>(
    `import("/cases.js").then((module) => module.operatorCases("/"))`,
  );
  const inNode = await operatorCases();
  const failed: Record<string, string> = {};
  for (const [name, expected] of Object.entries(inNode)) {
    if (typeof expected === "string") throw new Error(`${name}, in Node: ${expected}`);
    const actual = inBrowser[name]!;
    if (typeof actual === "string") failed[name.split(" ")[0]!] = actual;
    else expectClose(name, actual, expected);
  }
  expect(failed).toEqual(webExceptions);
}, 240_000);

/** Other kernels sum in another order: a few dozen roundings of 6e-8, or of 1e-16 in float64. */
function expectClose(name: string, actual: CaseResult, expected: CaseResult): void {
  const difference = Math.hypot(...actual.values.map((value, i) => value - expected.values[i]!));
  expect(actual.values.length, name).toBe(expected.values.length);
  // What is zero, as the gradient of a sum of softmaxes is, comes out as a rounding of numbers of order 1.
  expect(difference / Math.max(1, Math.hypot(...expected.values)), name).toBeLessThan(expected.float64 ? 1e-13 : 1e-5);
}
