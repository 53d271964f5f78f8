import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { IngestError } from "../../errors.js";
import type { ProbeBody } from "./probe-request.js";
import { answerProbe, type ProbeAnswer, type ProbeResult } from "./probe-worker.js";

/** Probes that wait at most: each may hold a body of 32 MiB. */
const mostWaiting = 8;
/** Milliseconds after which an idle thread is let go. */
const idleAfter = 30_000;
/** Milliseconds that the largest Gram takes many times over. */
const longest = 300_000;

export interface AnalystOptions {
  /** The compiled worker. Default: the one beside this file; where there is none (sources), the work is done in this thread. */
  readonly worker?: URL;
}

/** Reads and analyses probes one after the other in a thread of its own, so that the event loop stays free. */
export class ProbeAnalyst {
  readonly #file: URL | null;
  #worker: Worker | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;
  #idle: NodeJS.Timeout | null = null;

  constructor({ worker = new URL("./probe-worker.js", import.meta.url) }: AnalystOptions = {}) {
    this.#file = existsSync(fileURLToPath(worker)) ? worker : null;
  }

  /** @throws IngestError: what is wrong with the probe, `too-busy`, `probe-failed` */
  async analyse(body: ProbeBody): Promise<ProbeResult> {
    if (this.#waiting >= mostWaiting) {
      throw new IngestError("too-busy", `${mostWaiting} probes are waiting already. Probe more rarely, or smaller.`);
    }
    this.#waiting++;
    const turn = this.#last.then(() => this.#work(body));
    this.#last = turn.catch(() => undefined);
    try {
      const answer = await turn;
      if ("result" in answer) return answer.result;
      if ("failed" in answer) throw new Error(answer.failed);
      const { code, message, path } = answer.refused;
      throw new IngestError(code, message, path);
    } finally {
      this.#waiting--;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop();
  }

  async #work(body: ProbeBody): Promise<ProbeAnswer> {
    if (this.#closed) throw new IngestError("too-busy", "The server is stopping.");
    if (this.#file === null) return answerProbe(body);
    if (this.#idle !== null) clearTimeout(this.#idle);
    // Without this process's flags: they may name conditions under which packages resolve to sources.
    this.#worker ??= new Worker(this.#file, { execArgv: [] });
    const worker = this.#worker;
    worker.ref();
    const over = new AbortController();
    const timer = setTimeout(() => void this.#drop(), longest);
    try {
      worker.postMessage(body);
      const answer = once(worker, "message", { signal: over.signal }).then(([message]) => message as ProbeAnswer);
      const gone = once(worker, "exit", { signal: over.signal }).then(() => null);
      answer.catch(() => undefined);
      gone.catch(() => undefined);
      const first = await Promise.race([answer, gone]);
      if (first !== null) return first;
      this.#worker = null;
      throw new IngestError("probe-failed", "The probe could not be analysed: its thread ended. Send a smaller one.");
    } catch (error) {
      if (error instanceof IngestError) throw error;
      await this.#drop();
      throw new IngestError("probe-failed", `The probe could not be analysed: ${String(error)}`);
    } finally {
      clearTimeout(timer);
      over.abort();
      worker.unref();
      this.#idle = setTimeout(() => void this.#drop(), idleAfter);
      this.#idle.unref();
    }
  }

  async #drop(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}
