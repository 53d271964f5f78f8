import { randomBytes } from "node:crypto";
import { constants, copyFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { BadInput } from "../errors.js";

/** Who holds a checkpoint. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, in clock ticks since the machine did: a later process of the same number has another. */
  readonly started: string | undefined;
}

/** Of this process, by path: a second run of one process is refused as one of another process is. */
const held = new Set<string>();

/**
 * Takes a checkpoint for one run: two runs that save to one file would each overwrite what the other needs.
 *
 * The lock is a file beside it, `PATH.lock`, that names its holder. One whose process has died, by whatever end, is taken
 * over; where that cannot be told, on another machine of a shared disk, it stands.
 *
 * @returns Lets go of it.
 * @throws BadInput naming the process that has it.
 */
export function lockCheckpoint(path: string): () => void {
  const lock = `${resolve(path)}.lock`;
  if (held.has(lock)) throw new BadInput(`${path}: this process already has a run that saves there.`);
  const own: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  const mine = `${lock}.${process.pid}.${randomBytes(4).toString("hex")}`;
  writeFileSync(mine, JSON.stringify(own)); // whole before it has the name that others read
  try {
    while (!tryLink(mine, lock)) {
      const text = readLock(lock);
      if (text === undefined) continue; // let go of a moment ago
      const holder = parseHolder(text);
      if (holder !== undefined && isAlive(holder)) {
        const where = holder.host === own.host ? "" : ` on ${holder.host}`;
        throw new BadInput(
          `${path}: in use by process ${holder.pid}${where}. Wait for it or stop it; if there is no such process, delete ${lock}.`,
        );
      }
      takeAway(lock, text, `${mine}.stale`);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  held.add(lock);
  return () => {
    held.delete(lock);
    rmSync(lock, { force: true });
  };
}

/** Gives the file a second name, whole from the beginning; refused where that name is taken. */
function tryLink(from: string, to: string): boolean {
  for (const make of [linkSync, copyExclusively]) {
    try {
      make(from, to);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") return false;
      if (make === linkSync && (code === "EPERM" || code === "ENOTSUP" || code === "EOPNOTSUPP")) continue;
      throw error;
    }
  }
  return false;
}

/** For disks that know no second names. */
const copyExclusively = (from: string, to: string): void => copyFileSync(from, to, constants.COPYFILE_EXCL);

function readLock(lock: string): string | undefined {
  try {
    return readFileSync(lock, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes a dead process's lock, unless another process was faster: what it then has taken away is put back. */
function takeAway(lock: string, dead: string, aside: string): void {
  try {
    renameSync(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (readLock(aside) !== dead) tryLink(aside, lock);
  rmSync(aside, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, host, started } = JSON.parse(text) as Holder;
    return Number.isInteger(pid) ? { pid, host, started } : undefined;
  } catch {
    return undefined; // no lock of ours
  }
}

function isAlive({ pid, host, started }: Holder): boolean {
  if (host !== hostname()) return true; // cannot be told from here
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  const now = startOf(pid);
  return started === undefined || now === undefined || started === now;
}

/** Field 22 of Linux's /proc/PID/stat; undefined on systems without it. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]; // the name before may hold blanks and brackets
  } catch {
    return undefined;
  }
}
