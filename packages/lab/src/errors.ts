/**
 * A mistake in what the user handed over: a config, a data file, a setting that does not fit the data. Raised before
 * anything is trained or written. The message is one line that names the thing, the value and what is allowed.
 */
export class BadInput extends Error {
  override readonly name: string = "BadInput";
}
