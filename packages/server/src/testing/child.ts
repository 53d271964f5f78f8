import { createInterface } from "node:readline";
import { openStore } from "../store/store.js";
import type { AppendableEvent } from "../store/events.js";

/**
 * A process that writes a store as it is told: one JSON command a line on standard input, one JSON answer a line on
 * standard output. See `children.ts`, which starts it.
 */
export type ChildCommand =
  | { do: "open"; folder: string }
  | { do: "append"; events: AppendableEvent[] }
  | { do: "flush" }
  | { do: "close" }
  /** Appends steps 0, 1, … of `runId` as fast as it can, and says after each flush how far it has come. */
  | { do: "flood"; runId: string }
  /** Exits by an uncaught error, without closing the store. */
  | { do: "crash" };

export type ChildAnswer =
  { done: ChildCommand["do"] } | { error: string; message: string } | { flushed: number; cursor: number };

let store: ReturnType<typeof openStore> | undefined;

function opened(): NonNullable<typeof store> {
  if (store === undefined) throw new Error("the child was not told to open a store");
  return store;
}

// Synchronous, so that an answer has left the process before anything can kill it.
function answer(value: ChildAnswer): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function obey(command: ChildCommand): void {
  switch (command.do) {
    case "open":
      store = openStore(command.folder);
      break;
    case "append":
      for (const event of command.events) opened().append(event);
      break;
    case "flush":
      opened().flush();
      break;
    case "close":
      opened().close();
      break;
    case "flood":
      flood(command.runId);
      break;
    case "crash":
      setImmediate(() => {
        throw new Error("crash, as told");
      });
      break;
  }
  answer({ done: command.do });
}

function flood(runId: string): void {
  let step = 0;
  const burst = () => {
    // Sizes that do not divide anything, so that a kill finds every kind of boundary.
    for (const end = step + 37; step < end; step++) {
      opened().append({ type: "metrics", runId, time: step, step, values: { loss: 1 / (1 + step), step } });
    }
    opened().flush();
    answer({ flushed: step, cursor: opened().cursor() });
    setImmediate(burst);
  };
  burst();
}

createInterface({ input: process.stdin }).on("line", (line) => {
  try {
    obey(JSON.parse(line) as ChildCommand);
  } catch (error) {
    const { code = "", message } = error as { code?: string; message: string };
    answer({ error: code, message });
  }
});
