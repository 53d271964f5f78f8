/** Lets timers, signals and sockets have their turn: a call into ONNX Runtime blocks them, and promises do not wait. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
