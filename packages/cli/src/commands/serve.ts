import type { Command } from "commander";
import type { Io } from "../io.js";
import { addStoreOption, withStore } from "../store-option.js";
import { defaultPort, parsePort, serveStore, untilInterrupted } from "../serving.js";

/** `sedge serve`: the dashboard and the API of a store, until Ctrl-C. */
export function defineServe(command: Command, io: Io): void {
  addStoreOption(command)
    .option("--port <number>", `TCP port, 0 for any free one (default ${defaultPort}, or a free one if that is busy)`)
    .option("--host <address>", "address of this machine to listen on", "127.0.0.1")
    .addHelpText("after", helpText)
    .action(async ({ store: folder, port, host }: { store: string; port?: string; host: string }) => {
      const wanted = parsePort(port);
      await withStore(folder, { readOnly: false }, async (store) => {
        const server = await serveStore(store, io, { port: wanted, host });
        io.print(`Dashboard: ${server.url}`);
        io.note(`Serving the runs in ${store.folder}. Ctrl-C ends it.`);
        await untilInterrupted(io);
        await server.close();
      });
    });
}

const helpText = `
Only this machine can reach it. Runs that are trained meanwhile, by any process that writes to the same store, appear
live.

Examples:
  sedge serve
  sedge serve --store runs/.sedge --port 8080

  curl http://127.0.0.1:${defaultPort}/api/v1/runs`;
