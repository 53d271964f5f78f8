/**
 * The process in which one run trains. ONNX Runtime holds the event loop while it computes, so a run gets a process of
 * its own: the command stays able to serve the dashboard, draw progress and hear Ctrl-C.
 *
 * It takes its orders and reports how it fares over Node's channel between parent and child; what it measures it
 * writes to the run store itself. Where the parent goes away, the run ends as interrupted.
 */
import { BadInput, checkpointPath, train, type RunEvent, type Sink } from "@sedge/lab";
import { openStore, storeSink, type RunStore } from "@sedge/server";
import { makeFolder } from "../make-folder.js";
import { exitCodeOf, exitCodes } from "../exit-codes.js";
import type { FromTrainer, ToTrainer } from "./messages.js";

const stop = new AbortController();
// Ctrl-C in a terminal reaches every process of the group, the kernel sees to that.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
process.on("disconnect", () => stop.abort());
process.on("message", (message: ToTrainer) => {
  if (message.type === "stop") stop.abort();
  else void start(message);
});

async function start({ runId, config, store, resume }: Extract<ToTrainer, { type: "start" }>): Promise<void> {
  const sink = lazySink(store, () => void send({ type: "started" }));
  let code: number;
  try {
    const result = await train(config, {
      runId,
      sinks: [sink],
      checkpoint: { path: checkpointPath(store, runId), resume },
      signal: stop.signal,
      onProgress: ({ step, stepsPerSecond, secondsLeft }) =>
        void send({ type: "progress", progress: { step, stepsPerSecond, secondsLeft } }),
    });
    const { status, step, warnings } = result;
    code =
      status === "diverged" ? exitCodes.diverged : status === "interrupted" ? exitCodes.interrupted : exitCodes.done;
    sink.release(); // everything is in the store before anybody hears that the run has ended
    await send({ type: "ended", status, step, warnings });
  } catch (error) {
    // What the store said is the cause, whatever the trainer made of it.
    const cause = sink.fault ?? error;
    const badInput = cause instanceof BadInput || exitCodeOf(cause) === exitCodes.badInput;
    code = badInput ? exitCodes.badInput : exitCodes.failed;
    sink.release();
    const message = cause instanceof Error ? cause.message : String(cause);
    await send(sink.opened ? { type: "failed", message } : { type: "refused", message, badInput });
  }
  process.exit(code);
}

/**
 * Opens the store with the run's first event, so that a run refused for its data leaves no trace, not even an empty
 * store.
 */
function lazySink(
  folder: string,
  started: () => void,
): Sink & { readonly fault: unknown; readonly opened: boolean; release(): void } {
  let opened = false;
  let store: RunStore | undefined;
  let inner: Sink | undefined;
  let fault: unknown;
  return {
    get fault() {
      return fault;
    },
    get opened() {
      return opened;
    },
    write(event: RunEvent) {
      try {
        if (store === undefined) makeFolder("--store", folder);
        store ??= openStore(folder);
        inner ??= storeSink(store);
        inner.write(event);
      } catch (error) {
        fault ??= error;
        throw error;
      }
      if (event.type !== "run-started") return;
      opened = true;
      started();
    },
    flush: () => store?.flush(),
    close: () => inner?.close?.(),
    release() {
      store?.close();
      store = undefined;
    },
  };
}

/** Resolves once the message has left, or cannot: a parent that is gone misses nothing. */
function send(message: FromTrainer): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
