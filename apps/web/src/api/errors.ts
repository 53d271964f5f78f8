/** The server could not be reached, answered with an error, or answered something that is not the API's. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** Stable, for programs: the server's own code, or `unreachable`, `http`, `malformed`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
