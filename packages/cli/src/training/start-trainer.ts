import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TrainConfig } from "@sedge/lab";
import { exitCodes, type ExitCode } from "../exit-codes.js";
import type { FromTrainer, Pace, ToTrainer } from "./messages.js";

/** How a training process ended. */
export type Outcome =
  | Extract<FromTrainer, { type: "ended" | "refused" | "failed" }>
  /** Killed, or crashed in native code. The store knows the run as interrupted. */
  | { readonly type: "died"; readonly message: string };

export interface Trainer {
  readonly runId: string;
  readonly pid: number | undefined;
  /** Resolves when the run is in the store; also if it never comes to that. */
  readonly started: Promise<void>;
  readonly outcome: Promise<Outcome>;
  /** Asks the run to end as interrupted. */
  stop(): void;
}

export interface TrainerOptions {
  readonly runId: string;
  readonly config: TrainConfig;
  /** Folder of the run store. */
  readonly store: string;
  /** Goes on from the run's checkpoint. Default false: from the start. */
  readonly resume?: boolean;
  /** Threads that dense linear algebra may use. */
  readonly linearAlgebraThreads: number;
  readonly onPace?: (pace: Pace) => void;
}

/** Starts training in a process of its own. */
export function startTrainer(options: TrainerOptions): Trainer {
  const { runId, config, store, resume = false, linearAlgebraThreads, onPace } = options;
  const child = spawn(process.execPath, [trainerProgram()], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced", // JSON has no NaN
    // BLAS libraries read these when they are loaded; a person's own choice goes first.
    env: {
      OPENBLAS_NUM_THREADS: String(linearAlgebraThreads),
      OMP_NUM_THREADS: String(linearAlgebraThreads),
      MKL_NUM_THREADS: String(linearAlgebraThreads),
      ...process.env,
    },
  });
  // Kept to explain a crash; ONNX Runtime's warnings about the machine are of no use to a reader.
  let complaint = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-4000)));

  let reported: Outcome | undefined;
  let markStarted: () => void;
  const started = new Promise<void>((resolve) => (markStarted = resolve));
  child.on("message", (message: FromTrainer) => {
    if (message.type === "started") markStarted();
    else if (message.type === "progress") onPace?.(message.progress);
    else reported = message;
  });
  const outcome = new Promise<Outcome>((resolve) => {
    const end = (result: Outcome) => {
      markStarted();
      resolve(result);
    };
    child.on("error", ({ message }) => {
      end({ type: "died", message: `the training process could not be started: ${message}` });
    });
    child.on("close", (code, signal) => {
      const last = complaint.trim().split("\n").at(-1) ?? "";
      const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
      end(reported ?? { type: "died", message: `the training process ${how}${last === "" ? "" : `: ${last}`}` });
    });
  });
  const send = (message: ToTrainer) => {
    if (child.connected) child.send(message, () => undefined); // of a child that is gone, "close" tells
  };
  send({ type: "start", runId, config, store, resume });
  return { runId, pid: child.pid, started, outcome, stop: () => send({ type: "stop" }) };
}

/** What the command's exit code says of a run. */
export function exitCodeOfOutcome(outcome: Outcome): ExitCode {
  switch (outcome.type) {
    case "refused":
      return outcome.badInput ? exitCodes.badInput : exitCodes.failed;
    case "failed":
    case "died":
      return exitCodes.failed;
    case "ended":
      return { finished: exitCodes.done, diverged: exitCodes.diverged, interrupted: exitCodes.interrupted }[
        outcome.status
      ];
  }
}

/** Node runs JavaScript only: where this file is TypeScript, run from its sources, the child is the build beside it. */
function trainerProgram(): string {
  const sibling = fileURLToPath(new URL("./trainer-process.js", import.meta.url));
  return import.meta.url.endsWith(".ts") ? sibling.replace(/src(?=[\\/]training[\\/][^\\/]+$)/, "dist") : sibling;
}
