import type { Command } from "commander";
import { openStore, type RunStore } from "@sedge/server";
import { makeFolder } from "./make-folder.js";

export const defaultStore = ".sedge";

/** `--store DIR`, the same for every command that has to do with runs. */
export function addStoreOption(command: Command): Command {
  return command.option("--store <folder>", "folder of the run store", defaultStore);
}

/** Opens a store for the time of one piece of work. */
export async function withStore<T>(
  folder: string,
  options: { readonly readOnly: boolean },
  work: (store: RunStore) => T | Promise<T>,
): Promise<T> {
  if (!options.readOnly) makeFolder("--store", folder);
  const store = openStore(folder, options);
  try {
    return await work(store);
  } finally {
    store.close();
  }
}
