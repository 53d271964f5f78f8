import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Debian's packages slurm-wlm and munge have them. */
const programs = ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol"];

/** Which of Slurm's programs are not on this machine. */
export const missingPrograms = (): string[] =>
  programs.filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);

export interface SlurmCluster {
  /** For the environment of whoever talks to it. */
  readonly configFile: string;
  call(command: string, ...given: string[]): string;
  /** As if the machine lost power: daemon, step daemon and task die at once. */
  loseNode(name: string): void;
  stop(): void;
}

/** A cluster of two nodes, w1 and w2, of one core each, on this machine; daemons of its own on ports of its own. */
export function startCluster(): SlurmCluster {
  const folder = mkdtempSync(join(tmpdir(), "sedge-slurm-"));
  const at = (name: string) => join(folder, name);
  chmodSync(folder, 0o755);
  for (const name of ["mungelog", "mungelib", "state"]) mkdirSync(at(name), { mode: 0o700 });
  writeFileSync(at("munge.key"), randomBytes(1024), { mode: 0o400 });
  const user = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
  const port = 20_000 + (process.pid % 10_000) * 3;
  const node = (name: string, own: number) =>
    `NodeName=${name} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${own} CPUs=1 RealMemory=1500`;
  const lines = [
    ...["ClusterName=sedge", "SlurmctldHost=localhost", `SlurmUser=${user}`, `SlurmdUser=${user}`],
    ...["AuthType=auth/munge", "CredType=cred/munge", `AuthInfo=socket=${at("munge.sock")}`],
    ...["ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none", "SwitchType=switch/none", "MpiDefault=none"],
    ...["SelectType=select/cons_tres", "SelectTypeParameters=CR_CPU", "ReturnToService=2", "JobRequeue=1"],
    ...["SlurmdTimeout=15", "MinJobAge=300", "JobCompType=jobcomp/filetxt", `JobCompLoc=${at("jobs.txt")}`],
    ...[`SlurmctldPort=${port}`, `StateSaveLocation=${at("state")}`, `SlurmdSpoolDir=${at("spool-%n")}`],
    ...[`SlurmctldPidFile=${at("slurmctld.pid")}`, `SlurmdPidFile=${at("slurmd-%n.pid")}`],
    ...[`SlurmctldLogFile=${at("slurmctld.log")}`, `SlurmdLogFile=${at("slurmd-%n.log")}`],
    ...[node("w1", port + 1), node("w2", port + 2)],
    "PartitionName=main Nodes=w1,w2 Default=YES MaxTime=INFINITE State=UP",
  ];
  const configFile = at("slurm.conf");
  writeFileSync(configFile, `${lines.join("\n")}\n`);
  const env = { ...process.env, SLURM_CONF: configFile };
  const call = (command: string, ...given: string[]) => execFileSync(command, given, { env, encoding: "utf8" });
  const munge = ["key-file=munge.key", "socket=munge.sock", "pid-file=munged.pid"];
  munge.push("log-file=mungelog/munged.log", "seed-file=mungelib/munged.seed");
  call("munged", "--force", ...munge.map((option) => `--${option.replace("=", `=${folder}/`)}`));
  call("slurmctld", "-f", configFile);
  for (const name of ["w1", "w2"]) call("slurmd", "-f", configFile, "-N", name);

  const pidOf = (name: string) => Number(readFileSync(at(name), "utf8"));
  return {
    configFile,
    call,
    loseNode(name) {
      const tasks = processes().filter(({ environment }) => environment.includes(`SLURMD_NODENAME=${name}`));
      // The step daemon first after the node's own: it would tell the controller that the task had died.
      const steps = new Set(tasks.map(({ parent }) => parent));
      for (const pid of [pidOf(`slurmd-${name}.pid`), ...steps, ...tasks.map(({ pid }) => pid)]) kill(pid);
    },
    stop() {
      spawnSync("scancel", ["--user", user], { env });
      for (const name of ["slurmctld.pid", "slurmd-w1.pid", "slurmd-w2.pid", "munged.pid"]) {
        try {
          kill(pidOf(name));
        } catch {
          // It has written no file: it did not start, or was killed before.
        }
      }
      for (const { pid, environment } of processes()) if (environment.includes(configFile)) kill(pid);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** Those processes of this machine that a Slurm task is. */
function processes(): { pid: number; parent: number; environment: string }[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    try {
      const environment = readFileSync(`/proc/${name}/environ`, "latin1");
      if (!environment.includes("SLURM_JOB_ID=")) return [];
      const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "latin1"))![1]);
      return [{ pid, parent, environment }];
    } catch {
      return []; // it has ended, or is not ours
    }
  });
}
