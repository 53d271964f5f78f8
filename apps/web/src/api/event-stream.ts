/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  readonly type: string;
  readonly data: string;
  /** The last id seen up to and including this event; null before the first. */
  readonly id: string | null;
}

/**
 * An incremental parser of server-sent events (WHATWG HTML §9.2.6): feed it text in pieces of any size, get the events
 * that each piece completes. Comments and unknown fields are skipped; an event cut off by the end is never dispatched.
 */
export function createEventStreamParser(): (text: string) => ServerSentEvent[] {
  let pending = "";
  let skipLineFeed = false;
  let type = "";
  let data: string[] = [];
  let id: string | null = null;

  const field = (line: string) => {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") data.push(value);
    else if (name === "event") type = value;
    else if (name === "id" && !value.includes("\0")) id = value;
  };

  return (text) => {
    const events: ServerSentEvent[] = [];
    if (skipLineFeed && text.startsWith("\n")) text = text.slice(1);
    if (text !== "") skipLineFeed = false;
    // A line ends with CR, LF or CRLF; a CR at the very end of a piece may be the first half of a CRLF.
    if (text.endsWith("\r")) skipLineFeed = true;
    const lines = (pending + text).split(/\r\n|\r|\n/);
    pending = lines.pop()!;
    for (const line of lines) {
      if (line !== "") {
        field(line);
        continue;
      }
      if (data.length > 0) events.push({ type: type || "message", data: data.join("\n"), id });
      type = "";
      data = [];
    }
    return events;
  };
}
