#!/usr/bin/env node
import { processIo } from "./io.js";
import { run } from "./program.js";

const io = processIo(process);
const code = await run(process.argv.slice(2), io);
// Native thread pools can outlive the work. Exit once both streams have handed on what was written to them.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
