import type { RunSummary } from "../api/types.js";

/**
 * Whether a run matches every word of a filter. `η=0.01` (also `lr=`) and `B=8` compare the setting; any other word is
 * looked for in the name, the status and the start of the id. Case does not matter.
 */
export function matchesFilter(run: RunSummary, filter: string): boolean {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .every((word) => matchesWord(run, word));
}

function matchesWord({ id, name, status, config }: RunSummary, word: string): boolean {
  const setting = /^(η|lr|b)=(.+)$/.exec(word);
  if (setting !== null) {
    const value = setting[1] === "b" ? config.batchSize : config.learningRate;
    return value === Number(setting[2]);
  }
  return name.toLowerCase().includes(word) || status.includes(word) || id.toLowerCase().startsWith(word);
}
