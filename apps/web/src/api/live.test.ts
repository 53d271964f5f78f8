import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { connectLive, type ConnectionState, type LiveConnection } from "./live.js";
import type { LiveEvent } from "./types.js";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const job of cleanUp) job();
  cleanUp = [];
});

/** A server on a socket of its own, and a connection to it with short waits. */
async function connect(handler: Handler, options: { silence?: number } = {}) {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const events: LiveEvent[] = [];
  const states: ConnectionState["kind"][] = [];
  const connection: LiveConnection = connectLive({
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/events`),
    onEvents: (batch) => void events.push(...batch),
    onState: ({ kind }) => void states.push(kind),
    firstWait: 5,
    longestWait: 20,
    ...options,
  });
  cleanUp.push(() => {
    connection.close();
    server.closeAllConnections();
    server.close();
  });
  return { events, states, connection };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const stream = (response: ServerResponse) => response.writeHead(200, { "content-type": "text/event-stream" });
const metrics = (id: number) =>
  `event: metrics\nid: ${id}\ndata: {"runId":"a","time":0,"step":${id},"values":{"k":"Infinity"}}\n\n`;
const steps = (events: readonly LiveEvent[]) =>
  events.flatMap((event) => (event.type === "metrics" ? [event.metrics.step] : []));

test("a stream that is cut resumes after the last event it brought", async () => {
  const asked: (string | undefined)[] = [];
  const { events, states } = await connect((request, response) => {
    const after = request.headers["last-event-id"] as string | undefined;
    asked.push(after);
    stream(response);
    if (after === undefined) response.end(`event: hello\nid: 4\ndata: {"cursor":4}\n\n${metrics(5)}${metrics(6)}`);
    else response.write(metrics(Number(after) + 1));
  });
  await until(() => steps(events).length === 3);
  expect(asked).toEqual([undefined, "6"]);
  expect(steps(events)).toEqual([5, 6, 7]);
  expect(states).toEqual(["connecting", "live", "waiting", "connecting", "live"]);
  expect(events.at(-1)).toMatchObject({ metrics: { values: { k: Infinity } } });
});

test("an error, a wrong kind of answer and a silent stream all lead to another attempt", async () => {
  let attempt = 0;
  const { events } = await connect(
    (_, response) => {
      attempt++;
      if (attempt === 1) response.writeHead(503).end();
      else if (attempt === 2) response.writeHead(200, { "content-type": "text/html" }).end("<p>proxy</p>");
      else if (attempt === 3)
        stream(response).flushHeaders(); // and never a byte more
      else stream(response).write(metrics(1));
    },
    { silence: 200 },
  );
  await until(() => steps(events).length === 1);
  expect(attempt).toBe(4);
});

test("an event that cannot be read is passed over, and not asked for again", async () => {
  const asked: unknown[] = [];
  const { events } = await connect((request, response) => {
    asked.push(request.headers["last-event-id"]);
    stream(response);
    if (asked.length === 1)
      response.end(`event: metrics\nid: 1\ndata: {broken\n\n${metrics(2)}event: future\nid: 3\ndata: {}\n\n`);
    else response.write(metrics(4));
  });
  await until(() => steps(events).length === 2);
  expect(steps(events)).toEqual([2, 4]);
  expect(asked).toEqual([undefined, "3"]);
});
