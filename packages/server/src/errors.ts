/** What went wrong in the store, stable across versions; the wording of the message may improve. */
export type StoreErrorCode =
  | "no-store"
  | "folder-unusable"
  | "not-a-store"
  | "schema-too-new"
  | "schema-too-old"
  | "store-busy"
  | "store-corrupt"
  | "disk-full"
  | "store-failed"
  | "store-closed"
  | "read-only"
  | "unknown-run"
  | "ambiguous-run"
  | "unknown-artifact"
  | "run-exists"
  | "run-busy"
  | "run-not-open"
  | "bad-event";

/** The run store cannot do what was asked. The message is one line that names the thing and what to do. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type ServerErrorCode =
  "port-in-use" | "port-forbidden" | "bad-port" | "host-unavailable" | "token-required" | "server-failed";

/** The server cannot listen. The message is one line that names the port or address and what to do. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type IngestErrorCode =
  | "bad-request"
  | "bad-gram"
  | "too-large"
  | "clock-skew"
  | "sequence-gap"
  | "run-ended"
  | "run-foreign"
  | "too-busy"
  | "probe-failed";

/** What a trainer elsewhere sent cannot be taken. `path` is the field at fault. */
export class IngestError extends Error {
  override readonly name = "IngestError";

  constructor(
    readonly code: IngestErrorCode,
    message: string,
    readonly path?: string,
  ) {
    super(message);
  }
}
