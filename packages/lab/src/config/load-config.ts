import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { parse as parseYaml } from "yaml";
import { BadInput } from "../errors.js";
import { parseTrainConfig, type TrainConfig } from "./train-config.js";

/**
 * The plain data of a `.yaml`, `.yml` or `.json` file, not validated yet.
 *
 * @throws BadInput if the file cannot be read or is not what its ending says, with the line of the fault, or contains itself.
 */
export function readConfigFile(path: string): unknown {
  const ending = extname(path).toLowerCase();
  if (![".yaml", ".yml", ".json"].includes(ending)) {
    throw new BadInput(`${path}: expected a file ending in .yaml, .yml or .json.`);
  }
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new BadInput(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
  try {
    const value: unknown = ending === ".json" ? JSON.parse(text) : parseYaml(text);
    // YAML can say what contains itself, which nothing behind this could walk.
    JSON.stringify(value);
    return value;
  } catch (error) {
    // Beside its own error, the YAML library throws a ReferenceError where an alias has no anchor or there are too many.
    if (!(error instanceof Error)) throw error;
    throw new BadInput(`${path}: ${error.message.split("\n")[0]!.replace(/:$/, "")}.`);
  }
}

/**
 * A run's config from a file.
 *
 * @throws BadInput naming the file, the key, what is allowed and what was given.
 */
export function loadTrainConfig(path: string): TrainConfig {
  return parseTrainConfig(readConfigFile(path) ?? {}, path);
}
