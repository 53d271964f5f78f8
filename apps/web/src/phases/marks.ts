import type { RunSummary } from "../api/types.js";
import { outcomeOf, type Outcome } from "./outcome.js";

/** One run on a phase diagram. */
export interface Mark {
  readonly run: RunSummary;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly outcome: Outcome;
  /** Place among the runs with the same learning rate and batch size (seeds …), and how many there are. */
  readonly place: number;
  readonly of: number;
}

/** Marks of the runs that say at which learning rate and batch size they were trained, in reading order: B upward, then η. */
export function marksOf(runs: readonly RunSummary[]): Mark[] {
  const cells = new Map<string, RunSummary[]>();
  for (const run of runs) {
    const { learningRate = NaN, batchSize = NaN } = run.config;
    if (!(learningRate > 0) || !(batchSize > 0)) continue;
    const cell = `${learningRate} ${batchSize}`;
    const known = cells.get(cell);
    if (known === undefined) cells.set(cell, [run]);
    else known.push(run);
  }
  return [...cells.values()]
    .flatMap((cell) =>
      cell.map((run, place) => ({
        run,
        learningRate: run.config.learningRate!,
        batchSize: run.config.batchSize!,
        outcome: outcomeOf(run),
        place,
        of: cell.length,
      })),
    )
    .sort((a, b) => a.batchSize - b.batchSize || a.learningRate - b.learningRate || a.place - b.place);
}

/** Where a mark of several in one cell lies off its middle, in units of a mark's size: on a sunflower, none over another. */
export function offsetOf({ place, of }: Pick<Mark, "place" | "of">): readonly [number, number] {
  if (of === 1) return [0, 0];
  const angle = place * Math.PI * (3 - Math.sqrt(5));
  const radius = 1.1 * Math.sqrt(place + 0.5);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** The names of the sweeps whose runs are in a store. */
export function sweepsOf(runs: readonly RunSummary[]): string[] {
  const names = runs.flatMap(({ tags }) => tags.filter((tag) => tag.startsWith("sweep:")).map((tag) => tag.slice(6)));
  return [...new Set(names)].sort();
}

const directions: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** The next mark in the direction of an arrow key, straight on rather than aslant; the same one at the rim. */
export function neighbourMark(marks: readonly Mark[], from: Mark, key: string): Mark {
  const [right, up] = directions[key] ?? [0, 0];
  const isOfCell = (mark: Mark) => mark.batchSize === from.batchSize && mark.learningRate === from.learningRate;
  // Marks of one cell follow each other to the right.
  const beside = marks.find((mark) => isOfCell(mark) && right !== 0 && mark.place === from.place + right);
  if (beside !== undefined) return beside;
  let best = from;
  let least = Infinity;
  for (const mark of marks) {
    const x = Math.log(mark.batchSize / from.batchSize);
    const y = Math.log(mark.learningRate / from.learningRate);
    const ahead = x * right + y * up;
    const away = ahead + 8 * Math.abs(x * up + y * right);
    if (isOfCell(mark) || !(ahead > 0) || away >= least) continue;
    least = away;
    best = mark;
  }
  return best;
}
