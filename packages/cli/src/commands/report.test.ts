import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTrainConfig } from "@sedge/lab";
import { openStore } from "@sedge/server";
import { JSDOM } from "jsdom";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { memoryIo } from "../memory-io.js";
import { run } from "../program.js";
import { findBrowser } from "../find-browser.js";

let folder: string;
let page: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sedge-report-"));
  page = join(folder, "page.html");
});
afterEach(() => rmSync(folder, { recursive: true }));

const config = (learningRate: number) => parseTrainConfig({ name: "a <b> run", learningRate, batchSize: 4, steps: 20 });

/** Finished runs of these learning rates, the first of them named with marks that HTML must not take for its own. */
function fill(rates: readonly number[], tags: readonly string[] = []): void {
  const store = openStore(folder);
  rates.forEach((learningRate, i) => {
    const runId = `run-${i}`;
    const name = i === 0 ? "a <b> run" : `η = ${learningRate}`;
    const model = { paramCount: 10, description: "a model" };
    store.append({ type: "run-started", runId, time: 1e12 + i, name, steps: 20, config: config(learningRate), model });
    for (let step = 0; step <= 20; step += 10) {
      const values = {
        "loss/train": 1 / (1 + step),
        "noiseKernel/exact": step === 0 ? Infinity : 0.5 + i,
        "noiseKernel/exact/standardError": 0.1,
        "edge/deterministic": 0.25,
      };
      store.append({ type: "metrics", runId, time: 1e12 + i + step, step, values });
    }
    const image = { width: 2, height: 1, channels: 1, pixels: Buffer.from([0, 200]).toString("base64") };
    const layer = { name: "<W1>", kind: "dense", size: 10, traceShare: 1, lambdaMaxShare: 1, perronShare: NaN };
    const responsible = [{ index: 17, weight: 0.75, label: 3, predicted: 5, image }];
    const made = { step: 20, time: 1e12 };
    store.record(runId, {
      probes: [
        { ...made, kind: "attribution", data: { examples: 4, layers: [layer] } },
        { ...made, kind: "examples", data: { examples: 4, effectiveExamples: 1.6, responsible } },
      ],
    });
    store.record(runId, { advice: [{ step: 20, time: 1e12, kind: "advisor", text: "Raise η & rest.", data: {} }] });
    store.append({ type: "run-finished", runId, time: 1e12 + 5000, step: 20, status: "finished" });
    store.setTags(runId, tags);
  });
  store.close();
}

async function report(...argv: string[]) {
  const io = memoryIo();
  const code = await run(["report", "--store", folder, "--out", page, ...argv], io);
  return { code, ...io };
}

describe("sedge report", () => {
  test("a run's page holds its figures, tables, settings, data and commands, and asks for nothing else", async () => {
    fill([0.01]);
    expect((await report("run-0")).code).toBe(0);
    const html = readFileSync(page, "utf8");
    const { document } = new JSDOM(html).window;
    expect(document.querySelector("h1")!.textContent).toBe("a <b> run");
    expect(document.querySelectorAll(".light [data-panel]").length).toBe(2); // no accuracy was measured
    expect(document.body.textContent).toContain("Raise η & rest.");
    expect(document.body.textContent).toContain("0.50 ± 0.10");
    expect(document.body.textContent).toContain("<W1> (dense)");
    expect(document.querySelector("figure")!.textContent).toBe("75 % number 17class 3, taken for 5");
    // Whatever would be fetched; an SVG's clip path is in the page itself.
    const targets = [...html.matchAll(/(?:src|href|url\()\s*=?\s*["']?([^"')\s>]+)/g)].map(([, target]) => target!);
    expect(targets.filter((target) => !/^(#|data:image\/bmp;)/.test(target))).toEqual([]);

    const data = JSON.parse(document.querySelector("#report-data")!.textContent) as {
      runs: { series: Record<string, { values: unknown[] }> }[];
    };
    expect(data.runs[0]!.series["noiseKernel/exact"]!.values).toEqual(["Infinity", 0.5, 0.5]);
    const commands = document.querySelector("pre")!.textContent.split("\n");
    expect(commands.at(-1)).toBe("npx sedge train run.json");
    expect(parseTrainConfig(JSON.parse(commands[1]!))).toEqual(config(0.01));
  });

  test("a sweep's page holds all its runs, and where they ended", async () => {
    fill([0.01, 0.1], ["sweep:grid"]);
    const { code, stdout } = await report("grid");
    expect([code, stdout]).toEqual([0, `Wrote ${page}: 2 runs.\n`]);
    const { document } = new JSDOM(readFileSync(page, "utf8")).window;
    expect(document.querySelector("h1")!.textContent).toBe("Sweep grid");
    expect(document.querySelectorAll(".light [data-panel]").length).toBe(4);
    expect(document.body.textContent).toContain("η = 0.1");
    expect([...document.querySelectorAll("th")].map((cell) => cell.textContent)).toContain("learningRate");
  });

  test("what is not there is bad input", async () => {
    fill([0.01]);
    expect((await report("other")).code).toBe(2);
    expect(existsSync(page)).toBe(false);
    const sweep = await report("sweep:other");
    expect(sweep.code).toBe(2);
    expect(sweep.stderr).toBe('sedge report: report: no run of the store belongs to a sweep named "other".\n');
  });

  test("a run without measurements has a page too", async () => {
    const store = openStore(folder);
    const model = { paramCount: 1, description: "elsewhere" };
    store.append({ type: "run-started", runId: "bare", time: 1, name: "bare", steps: 0, config: {}, model });
    store.append({ type: "run-finished", runId: "bare", time: 2, step: 0, status: "failed" });
    store.close();
    expect((await report("bare")).code).toBe(0);
    const html = readFileSync(page, "utf8");
    expect(html).toContain("Nothing has been measured yet.");
    expect(html).toContain("only their own program can repeat them");
  });

  test.skipIf(findBrowser() === null)("with a browser it is printed", { timeout: 60_000 }, async () => {
    fill([0.01]);
    const { code, stderr } = await report("run-0", "--pdf");
    expect(code, stderr).toBe(0);
    expect(readFileSync(join(folder, "page.pdf")).subarray(0, 5).toString()).toBe("%PDF-");
  });
});

test("a browser is one that can be run, in the order given", () => {
  expect(findBrowser(["/nowhere", process.execPath, "/bin/sh"])).toBe(process.execPath);
  expect(findBrowser([])).toBeNull();
});
