import { createToken } from "@sedge/server";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addStoreOption, withStore } from "../store-option.js";
import { defaultPort, parsePort, serveStore, untilInterrupted } from "../serving.js";

interface ServeOptions {
  readonly store: string;
  readonly port?: string;
  readonly host: string;
  readonly token?: string;
}

/** Addresses that only this machine can reach. */
const isOwn = (host: string) => /^(127\.[\d.]+|localhost|::1)$/.test(host);

/** `sedge serve`: the dashboard and the API of a store, until Ctrl-C. */
export function defineServe(command: Command, io: Io): void {
  addStoreOption(command)
    .option("--port <number>", `TCP port, 0 for any free one (default ${defaultPort}, or a free one if that is busy)`)
    .option("--host <address>", "address of this machine to listen on; others can reach 0.0.0.0", "127.0.0.1")
    .option("--token <text>", "what a browser must know (default: none on 127.0.0.1, a random one elsewhere)")
    .addHelpText("after", helpText)
    .action(async ({ store: folder, port, host, token }: ServeOptions) => {
      const wanted = parsePort(port);
      await withStore(folder, { readOnly: false }, async (store) => {
        const secret = token ?? (isOwn(host) ? undefined : createToken());
        const server = await serveStore(store, io, { port: wanted, host, token: secret });
        io.print(`Dashboard: ${server.link}`);
        io.note(`Serving the runs in ${store.folder}. Ctrl-C ends it.`);
        await untilInterrupted(io);
        await server.close();
      });
    });
}

const helpText = `
Only this machine can reach it, unless --host says otherwise; then the address holds a token. Runs that are trained meanwhile, by any process that writes to the same store, appear
live.

Examples:
  sedge serve
  sedge serve --store runs/.sedge --port 8080
  sedge serve --host 0.0.0.0

  curl http://127.0.0.1:${defaultPort}/api/v1/runs`;
