import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The command as it is installed: the build, which `npm test` makes first. */
const program = fileURLToPath(new URL("../../packages/cli/dist/main.js", import.meta.url));
if (!existsSync(program)) throw new Error("test/cli runs the built command: npm run build makes it.");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has written to standard error so far. */
  readonly stderr: () => string;
}

/** Starts `sedge` with nobody watching: no terminal, CI set, no colours. */
export function start(argv: readonly string[], { detached = false } = {}): Started {
  const env = { ...process.env, CI: "true", NO_COLOR: "1", FORCE_COLOR: "" };
  const child = spawn(process.execPath, [program, ...argv], { env, stdio: ["ignore", "pipe", "pipe"], detached });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
  return { child, ended, stderr: () => stderr };
}

export const sedge = (...argv: string[]): Promise<Ended> => start(argv).ended;

/** A run that takes a second, at the smallest sizes that exercise everything. */
export const tiny = [
  ...["--learning-rate", "0.01", "--batch-size", "1", "--model.widths", "8"],
  ...["--data.examples", "64", "--data.test-examples", "16", "--probes.examples", "4", "--probes.count", "3"],
];
