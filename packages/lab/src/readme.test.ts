import { expect, test } from "vitest";
import { parse } from "yaml";
import { readFileSync } from "node:fs";
import { memorySink, parseTrainConfig, train, type Probe } from "./index.js";

// The two snippets of README.md, as they stand there.
test("the README's run finishes, is judged and is told as events", async () => {
  const sink = memorySink();
  const result = await train(
    {
      learningRate: 0.01,
      batchSize: 1,
      steps: 300,
      data: { examples: 200 },
      model: { widths: [32] },
      probes: { count: 3 },
    },
    { sinks: [sink] },
  );
  expect(result.status).toBe("finished");
  expect(result.verdict.text).toMatch(/K = \d\.\d\d ± \d\.\d\d, λ_max·η\/2 = \d\.\d\d/);
  expect(result.latest["noiseKernel/exact"]).toBeGreaterThan(0);
  expect(sink.events[0]!.type).toBe("run-started");
  expect(sink.events.at(-1)!.type).toBe("run-finished");
});

test("the README's probe records the norm of the weights", async () => {
  const weightNorm: Probe = {
    name: "weightNorm",
    open: async () => ({
      observe: async ({ params }) => {
        let sum = 0;
        for (const values of Object.values(params)) for (const x of values) sum += x * x;
        return { "weights/norm": Math.sqrt(sum) };
      },
      close: async () => {},
    }),
  };
  const config = { learningRate: 0.01, batchSize: 1, steps: 10, data: { examples: 64 }, model: { widths: [] } };
  const { latest, params } = await train(config, { probes: [weightNorm] });
  expect(latest["weights/norm"]).toBeCloseTo(Math.hypot(...params["W1"]!, ...params["b1"]!), 10);
});

test("the README's config is one", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const yaml = /```yaml\n(.*?)```/s.exec(readme)![1]!;
  expect(parseTrainConfig(parse(yaml))).toMatchObject({ model: { kind: "resnet", norm: "group" }, accumulate: 2 });
});
