import { PassThrough } from "node:stream";
import pc from "picocolors";
import type { Io } from "./io.js";

/** An Io that keeps what is written to it, for tests and for programs that embed the command. */
export interface MemoryIo extends Io {
  readonly stdout: string;
  readonly stderr: string;
  /** What Ctrl-C does. */
  interrupt(): void;
}

/** Nobody watches and there are no colours, unless said otherwise. */
export function memoryIo({ watched = false, columns = 80 }: { watched?: boolean; columns?: number } = {}): MemoryIo {
  let stdout = "";
  let stderr = "";
  const controller = new AbortController();
  const progress = new PassThrough();
  progress.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return {
    print: (text) => void (stdout += `${text}\n`),
    note: (text) => void (stderr += `${text}\n`),
    progress,
    watched,
    columns,
    colours: pc.createColors(false),
    interrupted: controller.signal,
    blocking: (work) => work(),
    interrupt: () => controller.abort(),
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
  };
}
