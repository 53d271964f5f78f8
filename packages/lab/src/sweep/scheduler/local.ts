import { spawn, type ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import type { FromWorker, ToWorker } from "../worker.js";
import type { Scheduler, Submission, SubmitOptions, SweepTask, TaskState } from "./scheduler.js";
import { workerProgram } from "./worker-program.js";

export interface LocalOptions {
  /** Processes at a time. Default as many as cores. */
  readonly workers?: number | undefined;
}

/** A process that is lost is replaced this often for one task. */
const mostRetries = 1;

/** Worker processes on this machine, each taking task after task. */
export function localScheduler({ workers = availableParallelism() }: LocalOptions = {}): Scheduler {
  return {
    name: "local",
    workers,
    runsPerTask: () => 1,
    check: () => Promise.resolve(),
    submit: (tasks, options) => Promise.resolve(submit(tasks, options, workers)),
  };
}

function submit(tasks: readonly SweepTask[], { folder, onEvent }: SubmitOptions, workers: number): Submission {
  const queue = [...tasks];
  const states: Record<string, TaskState> = Object.fromEntries(tasks.map(({ id }) => [id, "waiting"]));
  const children = new Set<ChildProcess>();
  let stopping = false;
  const count = Math.min(workers, tasks.length);

  async function work(place: number): Promise<void> {
    let worker: Worker | undefined;
    for (let task = queue.shift(); task !== undefined && !stopping; task = queue.shift()) {
      states[task.id] = "running";
      for (let attempt = 0; ; attempt++) {
        worker ??= startWorker(children, count);
        onEvent({ type: "task-started", task: task.id, where: `worker ${place + 1}, process ${worker.pid}` });
        const fault = await worker.run(task, folder);
        if (fault === undefined || stopping) {
          states[task.id] = "done";
          if (!stopping) onEvent({ type: "task-done", task: task.id });
          break;
        }
        worker = undefined;
        if (attempt < mostRetries) {
          onEvent({ type: "task-retried", task: task.id, reason: fault });
          continue;
        }
        states[task.id] = "failed";
        onEvent({ type: "task-failed", task: task.id, reason: fault });
        break;
      }
    }
    await worker?.end();
  }

  const done = Promise.all(Array.from({ length: count }, (_, place) => work(place))).then(() => undefined);
  const cancel = async () => {
    stopping = true;
    for (const child of children) if (child.connected) child.disconnect();
    await done;
  };
  return { status: () => Promise.resolve({ ...states }), cancel, detach: cancel, done };
}

interface Worker {
  readonly pid: number | undefined;
  /** Resolves with what went wrong with the process, if anything did. */
  run(task: SweepTask, folder: string): Promise<string | undefined>;
  end(): Promise<void>;
}

function startWorker(children: Set<ChildProcess>, workers: number): Worker {
  // BLAS libraries read these when they are loaded; a person's own choice goes first.
  const threads = String(Math.max(1, Math.floor(availableParallelism() / workers)));
  const child = spawn(process.execPath, [workerProgram()], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
    env: { OPENBLAS_NUM_THREADS: threads, OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads, ...process.env },
  });
  children.add(child);
  let complaint = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-4000)));
  let answered: (() => void) | undefined;
  let fault: string | undefined;
  child.on("message", (message: FromWorker) => {
    if (message.type === "done") answered?.();
  });
  const closed = new Promise<void>((resolve) => {
    child.on("error", ({ message }) => {
      fault = `the worker process could not be started: ${message}`;
      resolve();
    });
    // Not "close": it does not come after a channel that this side has closed.
    child.on("exit", (code, signal) => {
      const last = complaint.trim().split("\n").at(-1) ?? "";
      const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
      fault ??= `the worker process ${how}${last === "" ? "" : `: ${last}`}`;
      children.delete(child);
      resolve();
    });
  });
  return {
    pid: child.pid,
    async run(task, folder) {
      for (const group of task.groups) {
        const answer = new Promise<undefined>((resolve) => (answered = () => resolve(undefined)));
        const message: ToWorker = { type: "run", folder, group };
        if (child.connected) child.send(message, () => undefined); // of a child that is gone, "close" tells
        const result = await Promise.race([answer, closed.then(() => fault)]);
        if (result !== undefined) return result;
      }
      return undefined;
    },
    async end() {
      if (child.connected) child.disconnect();
      await closed;
    },
  };
}
