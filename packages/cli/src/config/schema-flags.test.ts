import { parseTrainConfig, trainConfigSchema } from "@sedge/lab";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { presets } from "./presets.js";
import { addFlags, flagValues, mergeConfig, schemaFlags } from "./schema-flags.js";

const flags = schemaFlags(trainConfigSchema);

/** What commander hands to an action for these arguments. */
function given(...argv: string[]): Record<string, unknown> {
  const command = new Command();
  addFlags(command, flags);
  return command.parse(argv, { from: "user" }).opts();
}

describe("flags from the config schema", () => {
  test("every leaf of a complete config has a flag, and every flag sets its leaf", () => {
    const complete = parseTrainConfig({
      ...{ name: "n", learningRate: 0.5, batchSize: 3, steps: 7 },
      ...{ data: { path: "p" }, probes: { count: 4 } },
    });
    const leaves = (value: object, path: string[] = []): string[] =>
      Object.entries(value).flatMap(([key, entry]: [string, unknown]) =>
        typeof entry === "object" && !Array.isArray(entry)
          ? leaves(entry as object, [...path, key])
          : [[...path, key].join(".")],
      );
    const paths = flags.map(({ path }) => path.join("."));
    expect(paths).toEqual(expect.arrayContaining(leaves(complete)));
    for (const { path, flag } of flags) {
      const values = flagValues(flags, given(flag, "1"));
      expect(path.reduce((place: unknown, key) => (place as Record<string, unknown>)[key], values)).toBeDefined();
    }
  });

  test("nesting becomes dots and capitals become hyphens", () => {
    expect(flags.map(({ flag }) => flag)).toEqual(
      expect.arrayContaining(["--learning-rate", "--data.test-examples", "--probes.every", "--model.widths"]),
    );
  });

  test("numbers, lists and names arrive as the schema wants them", () => {
    const values = flagValues(
      flags,
      given("--learning-rate", "1e-3", "--model.widths", "64, 32", "--loss", "cross-entropy", "--batch-size", "8"),
    );
    expect(values).toEqual({ learningRate: 0.001, model: { widths: [64, 32] }, loss: "cross-entropy", batchSize: 8 });
    expect(flagValues(flags, given("--model.widths", ""))).toEqual({ model: { widths: [] } });
  });

  test("what is no number stays text, so that the schema can name it", () => {
    const values = flagValues(flags, given("--learning-rate", "fast", "--batch-size", ""));
    expect(values).toEqual({ learningRate: "fast", batchSize: "" });
    expect(() => parseTrainConfig({ steps: 1, ...values })).toThrow('learningRate: expected a number, got "fast"');
  });

  test("a negative number is a value and no flag", () => {
    expect(flagValues(flags, given("--learning-rate", "-1"))).toEqual({ learningRate: -1 });
  });

  test("help names what is allowed and what is the default", () => {
    const loss = flags.find(({ flag }) => flag === "--loss")!;
    expect(loss.description).toMatch(/\(squared \| mean-squared \| cross-entropy; default squared\)$/);
  });

  test("booleans are true or false, and anything else is for the schema to refuse", () => {
    const [flag] = schemaFlags(z.object({ fast: z.boolean().default(false) }));
    expect([flag!.parse("true"), flag!.parse("false"), flag!.parse("yes")]).toEqual([true, false, "yes"]);
  });

  test("a schema without keys is a mistake of the programmer", () => {
    expect(() => schemaFlags(z.number())).toThrow(TypeError);
  });
});

describe("mergeConfig", () => {
  test("merges objects, replaces everything else, and changes neither argument", () => {
    const base = { model: { widths: [1, 2], activation: "tanh" }, steps: 5 };
    expect(mergeConfig(base, { model: { widths: [3] }, seed: 1 })).toEqual({
      model: { widths: [3], activation: "tanh" },
      steps: 5,
      seed: 1,
    });
    expect(base).toEqual({ model: { widths: [1, 2], activation: "tanh" }, steps: 5 });
  });
});

test.each(Object.entries(presets))("preset %s is a valid config", (_name, { config }) => {
  expect(() => parseTrainConfig(config)).not.toThrow();
});
