/** A message of a stream of server-sent events. */
export interface SseMessage {
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

/**
 * Reads server-sent events as the standard says a browser does, independently of how the server writes them:
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class SseReader {
  /** Messages so far, oldest first. */
  readonly messages: SseMessage[] = [];
  /** Comments so far. */
  readonly comments: string[] = [];
  /** As a browser would send it when it comes back. */
  lastEventId = "";
  /** Bodies' chunks, as they came. */
  chunks = 0;
  /** Resolves when the stream ends; rejects when it breaks off. */
  readonly ended: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #changed: () => void = () => undefined;
  #over = false;

  constructor(response: Response) {
    this.#reader = response.body!.getReader();
    this.ended = this.#pump().finally(() => {
      this.#over = true;
      this.#changed();
    });
    this.ended.catch(() => undefined);
  }

  async #pump(): Promise<void> {
    const decoder = new TextDecoder();
    let buffer = "";
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      this.chunks++;
      buffer += decoder.decode(value, { stream: true });
      for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
        this.#interpret(buffer.slice(0, end).split("\n"));
        buffer = buffer.slice(end + 2);
      }
      this.#changed();
    }
  }

  #interpret(lines: readonly string[]): void {
    let event = "message";
    let id: string | undefined;
    const data: string[] = [];
    for (const line of lines) {
      const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line)!;
      if (line.startsWith(":")) this.comments.push(line.slice(1).trim());
      else if (field === "event") event = value;
      else if (field === "id") id = value;
      else if (field === "data") data.push(value);
    }
    if (id !== undefined) this.lastEventId = id;
    if (data.length === 0) return;
    this.messages.push({ ...(id === undefined ? {} : { id }), event, data: JSON.parse(data.join("\n")) });
  }

  of(event: string): SseMessage[] {
    return this.messages.filter((message) => message.event === event);
  }

  /** Waits until `found` returns something. */
  async until<T>(found: () => T | undefined | false): Promise<T> {
    for (;;) {
      const result = found();
      if (result !== undefined && result !== false) return result;
      if (this.#over) throw new Error("the stream ended first");
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }
}
