import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BadInput } from "../errors.js";
import { lockCheckpoint } from "./checkpoint-lock.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "sedge-lock-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, `${name}.safetensors`);
const holder = (pid: number, more: object = {}) => JSON.stringify({ pid, host: hostname(), ...more });

test("a run has its checkpoint to itself until it lets go", () => {
  const release = lockCheckpoint(path("own"));
  expect(JSON.parse(readFileSync(`${path("own")}.lock`, "utf8"))).toMatchObject({ pid: process.pid });
  expect(() => lockCheckpoint(path("own"))).toThrow(
    /own\.safetensors: this process already has a run that saves there/,
  );
  release();
  lockCheckpoint(path("own"))();
  expect(readdirSync(folder)).toEqual([]);
});

test("another living process is named, and a dead one's lock is taken over", () => {
  const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio: "ignore" });
  try {
    writeFileSync(`${path("busy")}.lock`, holder(other.pid!));
    expect(() => lockCheckpoint(path("busy"))).toThrow(BadInput);
    expect(() => lockCheckpoint(path("busy"))).toThrow(
      new RegExp(
        `busy\\.safetensors: in use by process ${other.pid}\\. Wait for it or stop it; .*delete .*busy.*\\.lock`,
      ),
    );
  } finally {
    other.kill("SIGKILL");
  }
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(`${path("dead")}.lock`, holder(dead));
  lockCheckpoint(path("dead"))();
  expect(existsSync(`${path("dead")}.lock`)).toBe(false);
});

test("a later process of the same number is not taken for the holder, where the system tells when it started", () => {
  writeFileSync(`${path("reused")}.lock`, holder(process.pid, { started: "1" }));
  if (existsSync("/proc/self/stat")) lockCheckpoint(path("reused"))();
  else expect(() => lockCheckpoint(path("reused"))).toThrow(BadInput);
});

test("a process of another machine counts as alive; a file that says nothing does not", () => {
  writeFileSync(`${path("far")}.lock`, JSON.stringify({ pid: 1, host: `not-${hostname()}` }));
  expect(() => lockCheckpoint(path("far"))).toThrow(/in use by process 1 on not-/);
  writeFileSync(`${path("odd")}.lock`, "{");
  lockCheckpoint(path("odd"))();
});

test("of many processes that want a dead one's lock, one gets it at a time", async () => {
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  const lock = path("contested");
  writeFileSync(`${lock}.lock`, holder(dead));
  const module = new URL("../../dist/checkpoint/checkpoint-lock.js", import.meta.url).href;
  const program = `
    import { lockCheckpoint } from ${JSON.stringify(module)};
    import { mkdirSync, rmdirSync } from "node:fs";
    let got = 0;
    for (let i = 0; i < 60; i++) {
      let release;
      try { release = lockCheckpoint(${JSON.stringify(lock)}); } catch { continue; }
      mkdirSync(${JSON.stringify(`${lock}.held`)}); // fails if another process is inside
      got++;
      rmdirSync(${JSON.stringify(`${lock}.held`)});
      release();
    }
    process.stdout.write(String(got));`;
  const outcomes = await Promise.all(
    Array.from(
      { length: 3 },
      () =>
        new Promise<{ code: number | null; got: number }>((resolve) => {
          const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
            stdio: ["ignore", "pipe", "inherit"],
          });
          let text = "";
          child.stdout.on("data", (part: Buffer) => (text += part.toString()));
          child.on("close", (code) => resolve({ code, got: Number(text) }));
        }),
    ),
  );
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(outcomes.reduce((sum, { got }) => sum + got, 0)).toBeGreaterThan(3);
});
