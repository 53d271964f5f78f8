export { exitCodes, type ExitCode } from "./exit-codes.js";
export type { Io } from "./io.js";
export { memoryIo, type MemoryIo } from "./memory-io.js";
export { run, version } from "./program.js";
