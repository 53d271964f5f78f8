/** Another commit's bench, built apart from this checkout, so that `--compare` can time it beside ours. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Folder of the built bench of a commit. Built once a commit, in the system's temporary folder; a build that was
 * interrupted is begun again.
 *
 * @param reference  Anything `git rev-parse` understands.
 * @throws RangeError  Where git knows no such commit, or the commit cannot be installed or built.
 */
export function buildAt(reference: string): { readonly folder: string; readonly commit: string } {
  const commit = nameCommit(reference);
  const root = join(tmpdir(), `sedge-bench-${commit.slice(0, 12)}`);
  const folder = join(root, "bench", "dist");
  const finished = join(root, ".built");
  if (existsSync(finished)) return { folder, commit };
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  console.error(`Installing and building ${commit.slice(0, 12)} in ${root} …`);
  const archive = join(root, "tree.tar");
  execFileSync("git", ["archive", "--format=tar", `--output=${archive}`, commit]);
  run(root, "tar", ["-xf", archive]);
  rmSync(archive);
  const shell = process.platform === "win32";
  run(root, "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], shell);
  run(root, "npx", ["tsc", "--build", "bench"], shell);
  writeFileSync(finished, "");
  return { folder, commit };

  function run(cwd: string, command: string, args: readonly string[], inShell = false): void {
    const { status, error } = spawnSync(command, args, { cwd, stdio: ["ignore", 2, 2], shell: inShell });
    if (status !== 0) {
      throw new RangeError(
        `--compare ${reference}: \`${command} ${args.join(" ")}\` failed in ${cwd}${error ? ` (${error.message})` : ""}.`,
      );
    }
  }
}

function nameCommit(reference: string): string {
  try {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${reference}^{commit}`];
    return execFileSync("git", args, { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    throw new RangeError(`--compare: git knows no commit "${reference}" here; give a branch, a tag or a commit.`);
  }
}
