import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { BadInput } from "../../errors.js";
import { writeWhole } from "../../write-whole.js";
import type { SweepConfig } from "../sweep-config.js";
import type { Scheduler, Submission, SubmitOptions, SweepTask, TaskState } from "./scheduler.js";
import { parseSqueue, type SlurmTask } from "./squeue.js";
import { workerProgram } from "./worker-program.js";

export interface SlurmOptions {
  readonly settings?: SweepConfig["slurm"];
  /** Milliseconds between looks at the queue. Default 2000. */
  readonly pollMilliseconds?: number;
}

/** What is out, so that a later process finds it again. */
interface Job {
  readonly jobId: string;
  readonly tasks: readonly SweepTask[];
}

const run = promisify(execFile);
const jobFile = (folder: string) => join(folder, "slurm", "job.json");

/**
 * Tasks as one Slurm job array. The tasks do not need this process: when it ends they go on, and the next one that has the
 * sweep finds them. Slurm itself begins a task again whose node is lost; its runs go on from their checkpoints.
 */
export function slurmScheduler({ settings = {}, pollMilliseconds = 2000 }: SlurmOptions = {}): Scheduler {
  return {
    name: "slurm",
    workers: undefined,
    // Slurm starts 2 to 3 tasks a second: short runs are best made several a task.
    runsPerTask: (runs) => Math.ceil(runs / 100),
    check: async () => void (await slurm("sbatch", ["--version"])),
    async submit(tasks, options) {
      const folder = resolve(options.folder);
      const job = (await jobStillOut(folder)) ?? (await send(tasks, folder, options.sweep, settings));
      return watch(job, options, pollMilliseconds);
    },
  };
}

/** How the tasks of the job in a sweep's folder stand; undefined where none was sent. @throws BadInput without Slurm. */
export async function slurmState(folder: string): Promise<readonly SlurmTask[] | undefined> {
  const job = readJob(resolve(folder));
  return job === undefined ? undefined : tasksOf(job.jobId);
}

/** Cancels the job in a sweep's folder. @returns Whether there was one. */
export async function cancelSlurm(folder: string): Promise<boolean> {
  const job = readJob(resolve(folder));
  if (job === undefined) return false;
  await slurm("scancel", [job.jobId]);
  return true;
}

async function send(
  tasks: readonly SweepTask[],
  folder: string,
  sweep: string,
  { partition, time, memory, cpus, options = [] }: NonNullable<SweepConfig["slurm"]>,
): Promise<Job> {
  const home = join(folder, "slurm");
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  for (const [i, task] of tasks.entries()) writeWhole(join(home, `${i}.json`), Buffer.from(JSON.stringify(task)));
  const threads = Math.max(...tasks.flatMap(({ groups }) => groups.flat()).map(({ config }) => config.threads));
  const script = join(home, "task.sh");
  const command = [process.execPath, workerProgram(), folder].map(quoted).join(" ");
  const lines = ["#!/bin/sh", `export OMP_NUM_THREADS=${threads} OPENBLAS_NUM_THREADS=${threads}`];
  lines.push(`exec ${command} ${quoted(home)}/"$SLURM_ARRAY_TASK_ID".json`, "");
  writeWhole(script, Buffer.from(lines.join("\n")));
  const jobId = await slurm("sbatch", [
    "--parsable",
    `--array=0-${tasks.length - 1}`,
    "--requeue",
    "--open-mode=append",
    `--job-name=sedge-${sweep}`,
    `--output=${join(home, "%a.out")}`,
    `--chdir=${folder}`,
    `--cpus-per-task=${cpus ?? threads}`,
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(time === undefined ? [] : [`--time=${time}`]),
    ...(memory === undefined ? [] : [`--mem=${memory}`]),
    ...options,
    script,
  ]);
  const job: Job = { jobId: jobId.trim().split(";")[0]!, tasks };
  writeWhole(jobFile(folder), Buffer.from(JSON.stringify(job)));
  return job;
}

function watch({ jobId, tasks }: Job, { onEvent, folder }: SubmitOptions, pollMilliseconds: number): Submission {
  const seen = new Map<number, { state: TaskState; restarts: number }>(
    tasks.map((_, i) => [i, { state: "waiting", restarts: 0 }]),
  );
  let stopped = false;
  let wake: () => void = () => undefined;

  function take(queue: readonly SlurmTask[]): void {
    for (const [place, before] of seen) {
      if (before.state === "done" || before.state === "failed") continue;
      const task = tasks[place]!.id;
      // Slurm forgets a task some minutes after its end: what it came to is in the logs.
      const now = queue.find((each) => each.place === place) ?? { state: "done" as const, ...gone };
      if (now.restarts > before.restarts) {
        onEvent({ type: "task-retried", task, reason: "Slurm put it back into the queue, as when a node is lost" });
      }
      if (now.state !== before.state || now.restarts > before.restarts) {
        if (now.state === "running") onEvent({ type: "task-started", task, where: `node ${now.node}` });
        if (now.state === "done") onEvent({ type: "task-done", task });
        if (now.state === "failed")
          onEvent({
            type: "task-failed",
            task,
            reason: `Slurm: ${now.reason}; see ${join(folder, "slurm", `${place}.out`)}`,
          });
      }
      seen.set(place, { state: now.state, restarts: now.restarts });
    }
  }

  async function poll(): Promise<void> {
    let silent = 0;
    for (;;) {
      try {
        take(await tasksOf(jobId));
        silent = 0;
      } catch (error) {
        // A controller that restarts does not answer for a while, and the tasks go on.
        if (++silent > 30) throw error;
      }
      if (stopped || [...seen.values()].every(({ state }) => state === "done" || state === "failed")) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMilliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (stopped) return;
    }
  }
  const done = poll();
  const detach = async () => {
    stopped = true;
    wake();
    await done;
  };
  return {
    status: () => Promise.resolve(Object.fromEntries([...seen].map(([place, { state }]) => [tasks[place]!.id, state]))),
    async cancel() {
      await slurm("scancel", [jobId]);
      await done;
    },
    detach,
    done,
  };
}

const gone = { restarts: 0, node: "", reason: "" };

/** A job of this sweep of which something waits or runs still. */
async function jobStillOut(folder: string): Promise<Job | undefined> {
  const job = readJob(folder);
  if (job === undefined) return undefined;
  const queue = await tasksOf(job.jobId);
  return queue.some(({ state }) => state === "waiting" || state === "running") ? job : undefined;
}

function readJob(folder: string): Job | undefined {
  if (!existsSync(jobFile(folder))) return undefined;
  return JSON.parse(readFileSync(jobFile(folder), "utf8")) as Job;
}

async function tasksOf(jobId: string): Promise<SlurmTask[]> {
  return parseSqueue(await slurm("squeue", ["--json", "--states=all"]), jobId);
}

/** @throws BadInput naming the command, where it is not there or Slurm refuses what it was asked. */
async function slurm(command: string, given: readonly string[]): Promise<string> {
  try {
    return (await run(command, [...given], { maxBuffer: 2 ** 28 })).stdout;
  } catch (error) {
    const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") {
      throw new BadInput(`engine slurm: ${command} was not found; expected the commands of Slurm on the PATH.`);
    }
    throw new BadInput(`engine slurm: ${command}: ${stderr.trim().split("\n")[0] ?? String(code)}`);
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
