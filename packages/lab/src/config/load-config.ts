import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { parse as parseYaml, YAMLParseError } from "yaml";
import { BadInput } from "../errors.js";
import { parseTrainConfig, type TrainConfig } from "./train-config.js";

/**
 * The plain data of a `.yaml`, `.yml` or `.json` file, not validated yet.
 *
 * @throws BadInput if the file cannot be read or is not what its ending says, with the line of the fault.
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
    return ending === ".json" ? (JSON.parse(text) as unknown) : parseYaml(text);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof YAMLParseError)) throw error;
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
