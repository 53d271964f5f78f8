/** The table of `--compare`: each workload before and after, and whether the two differ beyond chance. */
import { digits, median, quantile } from "./statistics.js";
import type { Timing } from "./workload.js";

/**
 * Markdown table of medians in milliseconds with their quartiles, and the ratio after/before. Repeats in one process share
 * its luck (memory layout, what else ran), so the processes' medians decide: a workload is faster or slower where all of
 * one side's lie beyond all of the other's, which r processes a side do by chance with probability 2/(2r choose r).
 *
 * @param before  Name of the earlier side in `timings`.
 * @param after   Name of the later one. A workload that either side lacks (added since, removed since) has no ratio.
 */
export function comparison(timings: readonly Timing[], before: string, after: string): string {
  const names = [...new Set(timings.map(({ workload }) => workload))];
  let fewest = Infinity;
  const lines = names.map((name) => {
    const of = (side: string) => timings.filter(({ workload, peer }) => workload === name && peer === side);
    const [old, now] = [of(before), of(after)];
    if (old.length === 0 || now.length === 0) return `| ${[name, cell(old), cell(now), "–", ""].join(" | ")} |`;
    fewest = Math.min(fewest, old.length, now.length);
    const ratio = `${(median(repeats(now)) / median(repeats(old))).toFixed(2)}×`;
    return `| ${[name, cell(old), cell(now), ratio, verdict(medians(old), medians(now))].join(" | ")} |`;
  });
  const header = ["workload, ms", before, after, `${after} / ${before}`, ""];
  const chance = (200 / binomial(2 * fewest, fewest)).toPrecision(2);
  const legend =
    fewest === Infinity
      ? []
      : [
          "",
          `${fewest} processes a side in alternation; by chance a row is called faster or slower in ${chance} % of cases.`,
        ];
  return [`| ${header.join(" | ")} |`, `|${header.map(() => "---").join("|")}|`, ...lines, ...legend].join("\n");
}

function verdict(before: readonly number[], after: readonly number[]): string {
  if (Math.max(...after) < Math.min(...before)) return "faster";
  return Math.min(...after) > Math.max(...before) ? "slower" : "no clear difference";
}

const repeats = (timings: readonly Timing[]) => timings.flatMap(({ milliseconds }) => milliseconds);
const medians = (timings: readonly Timing[]) => timings.map(({ milliseconds }) => median(milliseconds));

/** n over k. */
function binomial(n: number, k: number): number {
  let value = 1;
  for (let i = 1; i <= k; i++) value = (value * (n - k + i)) / i;
  return value;
}

function cell(timings: readonly Timing[]): string {
  const times = repeats(timings);
  if (times.length === 0) return "–";
  return `${digits(median(times))} (${digits(quantile(times, 0.25))}–${digits(quantile(times, 0.75))})`;
}
