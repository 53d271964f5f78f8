import fc from "fast-check";
import { expect, test } from "vitest";
import { createEventStreamParser, type ServerSentEvent } from "./event-stream.js";

const parse = (...pieces: string[]): ServerSentEvent[] => {
  const feed = createEventStreamParser();
  return pieces.flatMap((piece) => feed(piece));
};

// The examples of WHATWG HTML §9.2.6, with their meaning there.
test("the standard's own examples", () => {
  expect(parse("data: YHOO\ndata: +2\ndata: 10\n\n")).toEqual([{ type: "message", data: "YHOO\n+2\n10", id: null }]);
  expect(parse(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n")).toEqual(
    [
      { type: "message", data: "first event", id: "1" },
      { type: "message", data: "second event", id: "" },
      { type: "message", data: " third event", id: "" },
    ],
  );
  // "data" alone is an empty line; the last block has no end and is no event.
  expect(parse("data\n\ndata\ndata\n\ndata:")).toEqual([
    { type: "message", data: "", id: null },
    { type: "message", data: "\n", id: null },
  ]);
  expect(parse("data:test\n\ndata: test\n\n").map(({ data }) => data)).toEqual(["test", "test"]);
});

test("however the text is cut and its lines end, the events are the same", () => {
  const text = 'event: metrics\nid: 8\ndata: {"a":1}\n\n: heartbeat\n\nevent: run\nid: 9\ndata: x\ndata: y\n\n';
  const whole = parse(text);
  expect(whole).toHaveLength(2);
  fc.assert(
    fc.property(fc.constantFrom("\n", "\r\n", "\r"), fc.array(fc.nat(120), { maxLength: 8 }), (end, cuts) => {
      const ended = text.replaceAll("\n", end);
      const places = [0, ...cuts.sort((a, b) => a - b), ended.length];
      // A lone CR at the very end may still be half of a CRLF, so one more character settles it.
      const pieces = places.slice(1).map((place, i) => ended.slice(places[i], place));
      expect(parse(...pieces, ":\n")).toEqual(whole);
    }),
  );
});
