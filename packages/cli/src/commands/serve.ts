import { createToken, ingestTensorBoard } from "@sedge/server";
import { existsSync, statSync } from "node:fs";
import { BadInput } from "@sedge/lab";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addStoreOption, withStore } from "../store-option.js";
import { defaultPort, parsePort, serveStore, untilInterrupted } from "../serving.js";

interface ServeOptions {
  readonly store: string;
  readonly port?: string;
  readonly host: string;
  readonly token?: string;
  readonly tensorboard?: string;
}

/** Addresses that only this machine can reach. */
const isOwn = (host: string) => /^(127\.[\d.]+|localhost|::1)$/.test(host);

/** `sedge serve`: the dashboard and the API of a store, until Ctrl-C. */
export function defineServe(command: Command, io: Io): void {
  addStoreOption(command)
    .option("--port <number>", `TCP port, 0 for any free one (default ${defaultPort}, or a free one if that is busy)`)
    .option("--host <address>", "address of this machine to listen on; others can reach 0.0.0.0", "127.0.0.1")
    .option("--token <text>", "what a browser must know (default: none on 127.0.0.1, a random one elsewhere)")
    .option("--tensorboard <folder>", "follow a TensorBoard log directory: its runs become runs of the store")
    .addHelpText("after", helpText)
    .action(async ({ store: folder, port, host, token, tensorboard }: ServeOptions) => {
      const wanted = parsePort(port);
      if (tensorboard !== undefined) requireFolder(tensorboard);
      await withStore(folder, { readOnly: false }, async (store) => {
        const secret = token ?? (isOwn(host) ? undefined : createToken());
        const server = await serveStore(store, io, { port: wanted, host, token: secret });
        io.print(`Dashboard: ${server.link}`);
        io.note(`Serving the runs in ${store.folder}. Ctrl-C ends it.`);
        const stopped = new AbortController();
        const following =
          tensorboard === undefined
            ? undefined
            : ingestTensorBoard(tensorboard, store, {
                signal: stopped.signal,
                onProblem: (problem) => io.note(problem),
              });
        if (tensorboard !== undefined) io.note(`Following the event files in ${tensorboard}.`);
        try {
          // What ends the following early is a fault of the store or the folder, which ends the command.
          await Promise.race(following === undefined ? [untilInterrupted(io)] : [untilInterrupted(io), following]);
        } finally {
          stopped.abort();
          await Promise.allSettled([following]);
          await server.close();
        }
      });
    });
}

function requireFolder(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  throw new BadInput(`--tensorboard: expected a folder, got ${JSON.stringify(path)}, which is none.`);
}

const helpText = `
Only this machine can reach it, unless --host says otherwise; then the address holds a token. Runs that are trained meanwhile, by any process that writes to the same store, appear
live.

Examples:
  sedge serve
  sedge serve --store runs/.sedge --port 8080
  sedge serve --host 0.0.0.0
  sedge serve --tensorboard lightning_logs

  curl http://127.0.0.1:${defaultPort}/api/v1/runs`;
