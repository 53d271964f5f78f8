import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import ts from "typescript";
import type { ChildAnswer, ChildCommand } from "./child.js";

const source = fileURLToPath(new URL("..", import.meta.url));
const cache = join(source, "..", ".cache");

/**
 * Compiles the package's sources for plain Node, which the test's child processes run, so that they never run a stale
 * build. Call at the top of a test file; the result is the folder that stands for `src`.
 */
export function compiledSources(): { readonly folder: string } {
  const folder = join(cache, `test-${process.pid}`);
  beforeAll(() => {
    for (const name of readdirSync(source, { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts") || name.endsWith(".test.ts") || name.endsWith(".bench.ts")) continue;
      const target = join(folder, name.replace(/\.ts$/, ".js"));
      mkdirSync(dirname(target), { recursive: true });
      const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
      const code = ts.transpileModule(readFileSync(join(source, name), "utf8"), { compilerOptions: options });
      writeFileSync(target, code.outputText);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return { folder };
}

/** A process of its own that writes a store; killed when the test ends. */
export class Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** Everything it has answered, oldest first. */
  readonly answers: ChildAnswer[] = [];
  readonly exited: Promise<void>;
  #errors = "";
  #changed: () => void = () => undefined;

  constructor({ folder }: { readonly folder: string }) {
    this.process = spawn(process.execPath, [join(folder, "testing", "child.js")]);
    this.exited = new Promise((resolve) => this.process.once("close", () => resolve()));
    createInterface({ input: this.process.stdout }).on("line", (line) => {
      this.answers.push(JSON.parse(line) as ChildAnswer);
      this.#changed();
    });
    this.process.stderr.on("data", (data: Buffer) => (this.#errors += data.toString()));
    void this.exited.then(() => this.#changed());
    // A killed child's pipe may still be written to.
    this.process.stdin.on("error", () => undefined);
    onTestFinished(async () => {
      this.process.kill("SIGKILL");
      await this.exited;
    });
  }

  send(command: ChildCommand): void {
    this.process.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** Sends a command and waits for its answer, which is an error's code where it failed. */
  async tell(command: ChildCommand): Promise<ChildAnswer> {
    const asked = this.answers.length;
    this.send(command);
    return this.until((answers) => answers.slice(asked).find((answer) => !("flushed" in answer)));
  }

  async until<T>(find: (answers: readonly ChildAnswer[]) => T | undefined): Promise<T> {
    for (;;) {
      const found = find(this.answers);
      if (found !== undefined) return found;
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`the child ended before it answered: ${this.#errors}`);
      }
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  /** `kill -9`, and waits until the process is gone. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited;
  }
}
