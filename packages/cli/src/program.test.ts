import { describe, expect, test } from "vitest";
import { memoryIo } from "./memory-io.js";
import { run, version } from "./program.js";

const sedge = async (...argv: string[]) => {
  const io = memoryIo();
  return { code: await run(argv, io), ...{ stdout: io.stdout, stderr: io.stderr } };
};
const commands = ["demo", "train", "serve", "runs", "theory", "simulate", "figure", "doctor"];

describe("the command line", () => {
  test("--version prints the version and nothing else", async () => {
    expect(await sedge("--version")).toEqual({ code: 0, stdout: `${version()}\n`, stderr: "" });
    expect(version()).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("without a command it prints the help, on standard output", async () => {
    const { code, stdout, stderr } = await sedge();
    expect([code, stderr]).toEqual([0, ""]);
    for (const name of commands) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    expect(stdout).toContain("Exit codes: 0 done, 1 failed, 2 bad input, 3 diverged");
  });

  test.each(commands)("%s has help with examples", async (name) => {
    const { code, stdout, stderr } = await sedge(name, "--help");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/Examples:\n {2}sedge /);
    expect((await sedge("help", name)).stdout).toBe(stdout);
  });

  test.each<[string[], string]>([
    [["theroy"], "sedge: unknown command 'theroy' (Did you mean theory?)\n"],
    [
      ["train", "--lerning-rate", "1"],
      "sedge train: unknown option '--lerning-rate' (Did you mean --learning-rate?)\n",
    ],
    [["theory"], "sedge theory: missing required argument 'file'\n"],
    [["runs", "lits"], "sedge runs: unknown command 'lits' (Did you mean list?)\n"],
    [["runs", "show"], "sedge runs: missing required argument 'run'\n"],
    [["train", "--steps"], "sedge train: option '--steps <number>' argument missing\n"],
  ])("%j is bad input, in one line", async (argv, stderr) => {
    expect(await sedge(...argv)).toEqual({ code: 2, stdout: "", stderr });
  });

  test("--debug adds where it happened, and only then", async () => {
    expect((await sedge("theory", "absent.json")).stderr.trim().split("\n")).toHaveLength(1);
    expect((await sedge("--debug", "theory", "absent.json")).stderr).toMatch(/\n\s+at /);
  });
});
