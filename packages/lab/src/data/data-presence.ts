import { readdirSync, statSync, type Dirent } from "node:fs";
import { dirname, join } from "node:path";
import { bundledMnist } from "./mnist.js";
import { dataFolder } from "./location.js";
import { recogniseData } from "./recognise.js";
import { dataSources } from "./sources.js";

/** A data set that a run can name, and what of it is on this machine. */
export interface DataPresence {
  /** What `data.name` is, or for data of one's own the folder's name. */
  readonly name: string;
  readonly title: string;
  /** Where it is, or would be looked for. */
  readonly folder: string;
  /**
   * - `whole`: every file that its reader knows; - `part`: some of them, which may be enough; - `absent`: none;
   * - `own`: files that no list says more of.
   */
  readonly state: "whole" | "part" | "absent" | "own";
  /** Of the files that are there. */
  readonly bytes: number;
  /** To download where it is not there; 0 for what cannot be. */
  readonly downloadBytes: number;
}

/** Every data set that Sedge knows, then whatever else is beside them in SEDGE_DATA or the user's cache. */
export function dataPresence(environment: NodeJS.ProcessEnv = process.env): DataPresence[] {
  const mnist = bundledMnist();
  const builtIn: DataPresence = {
    name: "mnist",
    title: "MNIST: 70,000 grey images of 28 × 28, 10 digits; built in",
    folder: mnist,
    state: "whole",
    bytes: bytesOf(mnist),
    downloadBytes: 0,
  };
  const known = Object.entries(dataSources).map(([name, { title, files, unpacked }]): DataPresence => {
    const folder = dataFolder(name, environment);
    const sizes = unpacked.map((file) => statSync(join(folder, file), { throwIfNoEntry: false })?.size);
    const there = sizes.filter((size) => size !== undefined);
    return {
      name,
      title,
      folder,
      state: there.length === 0 ? "absent" : there.length === unpacked.length ? "whole" : "part",
      bytes: there.reduce((sum, size) => sum + size, 0),
      downloadBytes: files.reduce((sum, { size }) => sum + size, 0),
    };
  });
  return [builtIn, ...known, ...ownData(dirname(dataFolder("any", environment)))];
}

function ownData(root: string): DataPresence[] {
  const known: readonly string[] = ["mnist", ...Object.keys(dataSources)];
  return entriesOf(root)
    .filter(({ name }) => !known.includes(name))
    .flatMap(({ name }) => {
      const folder = join(root, name);
      const kind = recogniseData(folder);
      if (kind === undefined) return [];
      const title = `your own, read as data.name ${kind}`;
      return [{ name, title, folder, state: "own" as const, bytes: bytesOf(folder), downloadBytes: 0 }];
    });
}

/** Of a file, or of all files in a folder and below. */
function bytesOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.size;
  return entriesOf(path).reduce((sum, { name }) => sum + bytesOf(join(path, name)), 0);
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // none there, or not ours to read
  }
}
