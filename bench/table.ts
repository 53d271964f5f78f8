/** The bench's table: a row a workload, a column a side, and our time over the best peer's. */
import { digits, median, quantile } from "./statistics.js";
import type { Timing } from "./workload.js";

const sides = ["sedge", "numpy", "torch", "torch+malloc", "jax"];
const begin = "<!-- bench table: npm run bench -- --write -->";
const end = "<!-- end of bench table -->";

/** Markdown table of medians in milliseconds with the spread (first to third quartile) of ours, and the ratio to the best peer. */
export function table(timings: readonly Timing[]): string {
  const present = sides.filter((side) => timings.some(({ peer }) => peer === side));
  const peers = present.filter((side) => side !== "sedge");
  const names = [...new Set(timings.map(({ workload }) => workload))];
  const lines = names.map((name) => {
    const of = (side: string) =>
      timings.filter((t) => t.workload === name && t.peer === side).flatMap((t) => t.milliseconds);
    const disturbed = (side: string) =>
      timings.some((t) => t.workload === name && t.peer === side && t.extra.disturbed !== undefined) ? "*" : "";
    const ours = of("sedge");
    const best = peers.filter((side) => of(side).length > 0).sort((a, b) => median(of(a)) - median(of(b)))[0];
    const cells = present.map((side) => {
      const times = of(side);
      if (times.length === 0) return "–";
      const text = `${digits(median(times))}${disturbed(side)}`;
      if (side === "sedge") return `${text} (${digits(quantile(times, 0.25))}–${digits(quantile(times, 0.75))})`;
      return side === best ? `**${text}**` : text;
    });
    const ratio = best === undefined || ours.length === 0 ? "–" : `${(median(ours) / median(of(best))).toFixed(2)}×`;
    return `| ${[name, ...cells, ratio].join(" | ")} |`;
  });
  const header = ["workload, ms", ...present, "sedge / best peer"];
  return [`| ${header.join(" | ")} |`, `|${header.map(() => "---").join("|")}|`, ...lines].join("\n");
}

/** What a table's numbers mean. */
export const legend =
  "Medians; in brackets the quartiles; bold is the best peer; * marks repeats during which other programs used the cores. " +
  "A row was measured in one run, all sides in alternation.";

/** The page with its bench table replaced, or appended where it has none. */
export function replaceTable(page: string, report: string): string {
  const block = `${begin}\n${report}\n${end}`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  return from >= 0 && to > from
    ? page.slice(0, from) + block + page.slice(to + end.length)
    : `${page.trimEnd()}\n\n${block}\n`;
}
