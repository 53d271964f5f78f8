import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { exportOnnx } from "@sedge/autodiff";
import type { TrainConfig } from "../../config/train-config.js";
import type { Dataset } from "../../data/dataset.js";
import { copyParams, type Model } from "../../models/model.js";
import type { ProbeRecord } from "../../probes/probe.js";
import type { FromProbes, Frozen, ToProbes } from "./messages.js";

/** What the probes saw at a step that training has left behind. */
export interface Arrival {
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
  readonly records: readonly ProbeRecord[];
  readonly warnings: readonly string[];
}

/** Probes that measure in a process of their own, so that training need not wait for them. */
export interface SeparateProbes {
  /** Of those that are asked; none once the process is gone. */
  readonly names: readonly string[];
  /** Whether nothing is being measured or waits to be. */
  readonly idle: boolean;
  readonly pid: number | undefined;
  /**
   * Has a copy of the run measured, after those that wait already. Returns at once. Beyond 1 GiB of waiting copies the
   * measurement is left out, and a warning says so.
   */
  offer(run: Frozen): void;
  /** What has come in since the last call, in order of steps, and what has gone wrong, at step NaN without values. */
  arrivals(): Arrival[];
  /** Resolves once everything offered has been measured, or never will be. */
  settled(): Promise<void>;
  /** Ends the process, whatever it is doing. */
  close(): Promise<void>;
}

const mostWaitingBytes = 2 ** 30;

export interface SeparateOptions {
  readonly config: TrainConfig;
  readonly names: readonly string[];
  /** Where they are not those that the config names. */
  readonly dataset: Dataset | undefined;
  readonly model: Model | undefined;
}

/** Starts the process. A fault of it ends the measurements, never the training. */
export function startSeparateProbes({ config, names: wanted, dataset, model }: SeparateOptions): SeparateProbes {
  const child = spawn(process.execPath, [program()], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced", // typed arrays as bytes, and NaN
  });
  let complaint = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-2000)));

  let names = wanted;
  let busy = false;
  let ready = false;
  let closing = false;
  const waiting: Frozen[] = [];
  let came: Arrival[] = [];
  let onSettled: (() => void)[] = [];
  const isSettled = () => names.length === 0 || (!busy && waiting.length === 0);
  const settle = () => {
    if (!isSettled()) return;
    for (const resolve of onSettled) resolve();
    onSettled = [];
  };
  const warn = (warning: string) => came.push({ step: NaN, values: {}, records: [], warnings: [warning] });
  const send = (message: ToProbes) => {
    if (child.connected) child.send(message, () => undefined); // of a child that is gone, "close" tells
  };
  const sendNext = () => {
    const next = ready && !busy ? waiting.shift() : undefined;
    if (next === undefined) return;
    busy = true;
    send({ type: "observe", names, ...next });
  };
  const giveUp = (reason: string) => {
    if (closing || names.length === 0) return;
    names = [];
    warn(`the process of the probes ${reason}; nothing more is measured, training goes on`);
    waiting.length = 0;
    settle();
  };
  child.on("message", (message: FromProbes) => {
    if (message.type === "failed") return giveUp(`failed: ${message.message}`);
    if (message.type === "ready") {
      ready = true;
    } else {
      busy = false;
      came.push(message);
    }
    sendNext();
    settle();
  });
  child.on("error", ({ message }) => giveUp(`could not be started: ${message}`));
  const closed = new Promise<void>((resolve) => {
    child.on("close", (code, signal) => {
      const last = complaint.trim().split("\n").at(-1) ?? "";
      const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
      giveUp(`${how}${last === "" ? "" : ` (${last})`}`);
      resolve();
    });
    child.on("error", () => resolve());
  });
  send({ type: "open", config, dataset, model: model && { ...sendable(model), onnx: exportOnnx(model.graph) } });

  return {
    get names() {
      return names;
    },
    get idle() {
      return ready && !busy && waiting.length === 0;
    },
    pid: child.pid,
    offer({ params, carried, ...rest }) {
      if (names.length === 0) return;
      const bytes = Object.values({ ...carried, ...params }).reduce((sum, values) => sum + values.byteLength, 0);
      if (waiting.length > 0 && (waiting.length + 1) * bytes > mostWaitingBytes) {
        warn(`step ${rest.step} was not measured: ${waiting.length} copies of the weights wait already`);
        return;
      }
      waiting.push({ ...rest, params: copyParams(params), carried: copyParams(carried) });
      sendNext();
    },
    arrivals() {
      const all = came;
      came = [];
      return all;
    },
    settled: () => new Promise((resolve) => (isSettled() ? resolve() : onSettled.push(resolve))),
    async close() {
      closing = true;
      child.kill("SIGKILL"); // it holds nothing that could be lost
      await closed;
    },
  };
}

const sendable = ({ description, inputShape, outputs, params, paramCount }: Model) => ({
  description,
  inputShape,
  outputs,
  params,
  paramCount,
});

/** The built program beside this file; in dist, if this is a source. */
function program(): string {
  const sibling = fileURLToPath(new URL("./probe-process.js", import.meta.url));
  if (!import.meta.url.endsWith(".ts")) return sibling;
  return sibling.replace(/src(?=[\\/]training[\\/]separate[\\/][^\\/]+$)/, "dist");
}
