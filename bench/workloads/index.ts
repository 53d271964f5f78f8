import type { Workload } from "../workload.js";

/** Our side of each workload, by the peers' names. */
export const workloads: Readonly<Record<string, Workload>> = {};
