import type { RunSummary } from "../api/types.js";

/**
 * Whether a run matches every word of a filter. `η=0.01` (also `lr=`) and `B=8` compare the setting, `tag:baseline` wants
 * the tag; any other word is looked for in the name, the status, the tags and the start of the id. Case does not matter.
 */
export function matchesFilter(run: RunSummary, filter: string): boolean {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .every((word) => matchesWord(run, word));
}

function matchesWord({ id, name, status, tags, config }: RunSummary, word: string): boolean {
  const setting = /^(η|lr|b)=(.+)$/.exec(word);
  if (setting !== null) {
    const value = setting[1] === "b" ? config.batchSize : config.learningRate;
    return value === Number(setting[2]);
  }
  const lower = tags.map((tag) => tag.toLowerCase());
  if (word.startsWith("tag:")) return lower.some((tag) => wordOf(tag) === word);
  return (
    name.toLowerCase().includes(word) ||
    status.includes(word) ||
    id.toLowerCase().startsWith(word) ||
    lower.some((tag) => tag.includes(word))
  );
}

/** A tag may hold spaces, a word may not: `_` stands for one. */
const wordOf = (tag: string) => `tag:${tag.toLowerCase().replaceAll(" ", "_")}`;

export const filtersByTag = (filter: string, tag: string) => filter.toLowerCase().split(/\s+/).includes(wordOf(tag));

/** The filter with a tag wanted, or no longer wanted. */
export function toggledTag(filter: string, tag: string): string {
  const words = filter.split(/\s+/).filter((word) => word !== "");
  const word = wordOf(tag);
  const rest = words.filter((one) => one.toLowerCase() !== word);
  return (rest.length < words.length ? rest : [...words, word]).join(" ");
}
