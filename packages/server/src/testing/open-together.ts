import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { openDatabase } from "../store/connection.js";

/** What a thread needs to open store after store at the same moments as its fellows. */
export interface OpenTogether {
  readonly folder: string;
  readonly rounds: number;
  readonly threads: number;
  /** One number, shared: how often any thread has been ready. */
  readonly ready: Int32Array;
}

const { folder, rounds, threads, ready } = workerData as OpenTogether;
const failures: string[] = [];
for (let round = 1; round <= rounds; round++) {
  Atomics.add(ready, 0, 1);
  // Spins, since a sleeping thread would wake too late to race.
  while (Atomics.load(ready, 0) < threads * round);
  try {
    openDatabase(join(folder, String(round)), false).close();
  } catch (error) {
    failures.push((error as Error).message);
  }
}
parentPort!.postMessage(failures);
