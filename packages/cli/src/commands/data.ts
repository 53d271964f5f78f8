import { resolve } from "node:path";
import { dataFolder, dataPresence, dataSources, getData, imageCacheFolder, type DataPresence } from "@sedge/lab";
import type { Command } from "commander";
import { exitCodes } from "../exit-codes.js";
import type { Io } from "../io.js";
import { toJson } from "../output/json.js";
import { table } from "../output/table.js";
import { taskProgress } from "../output/task-progress.js";
import type { Finish } from "../program.js";

/** `sedge data get|list`: the data sets that runs can name. */
export function defineData(command: Command, io: Io, finish: Finish): void {
  command
    .command("list")
    .description("What is known, what of it is on this machine, and where.")
    .option("--json", "print JSON")
    .action(({ json }: { json?: boolean }) => {
      const found = dataPresence();
      if (json) io.print(toJson(found));
      else {
        io.print(presenceTable(found, io));
        io.note(`Decoded images of folders are kept in ${imageCacheFolder()}; SEDGE_CACHE names another place.`);
      }
    });

  const get = command
    .command("get")
    .description("Download a data set, verify it by SHA-256 and unpack it. What was begun goes on.");
  get
    .argument("<name>", Object.keys(dataSources).join(", "))
    .option("--to <folder>", "where to (default: in SEDGE_DATA, else in the user's cache, where runs look for it)")
    .action(async (name: string, { to }: { to?: string }) => {
      const progress = taskProgress(io);
      let folder: string;
      try {
        folder = await getData(name, {
          ...(to !== undefined && { folder: resolve(to) }),
          signal: io.interrupted,
          onProgress: ({ file, received, size }) => progress.update({ label: file, done: received, total: size }),
        });
      } catch (error) {
        if (!io.interrupted.aborted) throw error;
        io.note("Interrupted. What was received is kept; the same command goes on from there.");
        finish(exitCodes.interrupted);
        return;
      } finally {
        progress.stop();
      }
      io.print(folder);
      const isFound = folder === dataFolder(name);
      io.note(`sedge train --data.name ${name}${isFound ? "" : ` --data ${folder}`} … trains on it.`);
    });

  command.addHelpText("after", helpText);
}

function presenceTable(found: readonly DataPresence[], { colours }: Io): string {
  const words = {
    whole: colours.green("there"),
    part: colours.yellow("in part"),
    absent: "—",
    own: colours.green("there"),
  };
  const rows = found.map(({ name, title, folder, state, bytes, downloadBytes }) => [
    name,
    title,
    words[state],
    state === "absent" ? `${megabytes(downloadBytes)} to get` : megabytes(bytes),
    folder,
  ]);
  return table(
    [{ title: "name" }, { title: "what" }, { title: "here" }, { title: "size", align: "right" }, { title: "where" }],
    rows,
    colours,
  );
}

/** As disks are sold: 1 MB is a million bytes. */
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

const helpText = `
SEDGE_DATA names the folder of all data sets, one folder each; without it they are in the user's cache. There is never
half a file under its final name: what has come so far is beside it and goes on from where it stopped.

Examples:
  sedge data list
  sedge data get cifar10
  sedge data get fashion-mnist --to ~/data/fashion`;
