import pc from "picocolors";

export type Colours = ReturnType<typeof pc.createColors>;

/** What a command may touch of the world around it. Results go to standard output, all else to standard error. */
export interface Io {
  /** A line or more of results, on standard output. */
  print(text: string): void;
  /** A line or more for the person who is watching, on standard error. */
  note(text: string): void;
  /** Where progress bars draw: standard error. */
  readonly progress: NodeJS.WritableStream;
  /** Whether somebody watches: standard error is a terminal, and this is not continuous integration. */
  readonly watched: boolean;
  /** Width of the terminal in characters; 80 where there is none. */
  readonly columns: number;
  /** Colours of standard output; plain text where it is no terminal or NO_COLOR is set. */
  readonly colours: Colours;
  /**
   * Aborted by the first Ctrl-C or SIGTERM; the second ends the process at once. A command that never asks for it is
   * ended by the first.
   */
  readonly interrupted: AbortSignal;
  /** Does long work that keeps the event loop from running: Ctrl-C meanwhile ends the process at once. */
  blocking<T>(work: () => T): T;
}

/** The process's own streams and signals. */
export function processIo(process: NodeJS.Process): Io {
  const { stdout, stderr, env } = process;
  // A reader that has seen enough (`| head`) closes the pipe; that is no failure.
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
  const controller = new AbortController();
  const signals = ["SIGINT", "SIGTERM"] as const;
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  let listening = false;
  const listen = (wanted: boolean) => {
    if (wanted === listening) return;
    listening = wanted;
    for (const signal of signals) process[wanted ? "on" : "off"](signal, onSignal);
  };
  return {
    print: (text) => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    progress: stderr,
    watched: stderr.isTTY === true && !isSet(env["CI"]),
    get columns() {
      return stderr.columns ?? stdout.columns ?? 80;
    },
    colours: pc.createColors(wantsColours(stdout, env)),
    get interrupted() {
      listen(true);
      return controller.signal;
    },
    blocking(work) {
      const was = listening;
      listen(false);
      try {
        return work();
      } finally {
        listen(was);
      }
    },
  };
}

/** https://no-color.org: any value but the empty one turns colours off. FORCE_COLOR turns them on where there is no terminal. */
export function wantsColours(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (isSet(env["NO_COLOR"])) return false;
  if (isSet(env["FORCE_COLOR"])) return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

const isSet = (value: string | undefined) => value !== undefined && value !== "";
