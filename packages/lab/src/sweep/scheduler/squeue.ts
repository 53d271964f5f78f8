import type { TaskState } from "./scheduler.js";

/** A task of a job array as `squeue --json` tells of it. */
export interface SlurmTask {
  /** In the array. */
  readonly place: number;
  readonly state: TaskState;
  readonly restarts: number;
  readonly node: string;
  /** Slurm's own word for the state. */
  readonly reason: string;
}

interface Entry {
  readonly job_id: number;
  readonly array_job_id?: Numberish;
  readonly array_task_id?: Numberish;
  readonly array_task_string?: string;
  readonly job_state: string | readonly string[];
  readonly restart_cnt?: number;
  readonly nodes?: string;
}

/** A number, or from Slurm 23.02 on an object around it. */
type Numberish = number | null | { readonly set: boolean; readonly number: number };

const going = ["RUNNING", "COMPLETING", "CONFIGURING", "STAGE_OUT", "SIGNALING", "SUSPENDED", "STOPPED"];
const waiting = [
  "PENDING",
  "REQUEUED",
  "REQUEUE_HOLD",
  "REQUEUE_FED",
  "SPECIAL_EXIT",
  "RESIZING",
  "PREEMPTED",
  "NODE_FAIL",
];

/** The tasks of one job array out of a whole queue. Waiting ones stand together in one entry, as `0-3,7%2`. */
export function parseSqueue(text: string, jobId: string): SlurmTask[] {
  const { jobs } = JSON.parse(text) as { jobs: readonly Entry[] };
  return jobs
    .filter((entry) => String(numberOf(entry.array_job_id) || entry.job_id) === jobId)
    .flatMap((entry) => {
      const reason = typeof entry.job_state === "string" ? entry.job_state : entry.job_state.join(",");
      const places = entry.array_task_string ? expand(entry.array_task_string) : [numberOf(entry.array_task_id) ?? 0];
      const { restart_cnt: restarts = 0, nodes: node = "" } = entry;
      return places.map((place) => ({ place, state: stateOf(reason), restarts, node, reason }));
    });
}

function stateOf(reason: string): TaskState {
  const words = reason.split(",");
  if (words.some((word) => waiting.includes(word))) return "waiting";
  if (words.some((word) => going.includes(word))) return "running";
  // A cancelled task's runs keep their checkpoints: it has not failed.
  return words.some((word) => word === "COMPLETED" || word === "CANCELLED") ? "done" : "failed";
}

function numberOf(value: Numberish | undefined): number | undefined {
  if (typeof value === "number") return value;
  return value?.set === true ? value.number : undefined;
}

function expand(ranges: string): number[] {
  return ranges
    .split("%")[0]!
    .split(",")
    .flatMap((range) => {
      const [from, to = from] = range.split("-").map(Number);
      return Array.from({ length: to! - from! + 1 }, (_, i) => from! + i);
    });
}
