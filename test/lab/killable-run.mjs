/**
 * A training process to be killed: trains the config it is given, saves its state after every chunk, goes on from it if
 * there is one, appends every event to a file and says how far it is.
 *
 *     node test/lab/killable-run.mjs FOLDER CONFIG-AS-JSON
 */
import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { train } from "@sedge/lab";

const [folder, config] = process.argv.slice(2);
const path = join(folder, "checkpoint.safetensors");
const events = join(folder, "events.jsonl");
/** NaN and the infinities are no JSON. */
const plain = (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);

const { status } = await train(JSON.parse(config), {
  sinks: [{ write: (event) => appendFileSync(events, `${JSON.stringify(event, plain)}\n`) }],
  checkpoint: { path, everySeconds: 0, resume: existsSync(path) },
  onProgress: ({ step }) => process.stdout.write(`${step}\n`),
});
process.stdout.write(`${status}\n`);
