import type { RunSummary } from "../api/types.js";
import type { Theme } from "../view/palette.js";
import { runColours } from "../view/palette.js";

/** How a run came out, as a phase diagram tells runs apart. */
export type Outcome = "running" | "converged" | "at-edge" | "diverged" | "broken";

export const outcomes: Readonly<Record<Outcome, string>> = {
  converged: "finished, inside both edges",
  "at-edge": "finished, at or past an edge",
  diverged: "diverged",
  running: "running",
  broken: "failed or interrupted",
};

export function outcomeOf({ status, verdict }: RunSummary): Outcome {
  if (status === "running" || status === "diverged") return status;
  if (status !== "finished") return "broken";
  return verdict?.state === "at-edge" || verdict?.state === "past-edge" ? "at-edge" : "converged";
}

/** Places in the runs' palette whose hues no common colour-vision deficiency takes for each other; shapes say the same. */
const places: Readonly<Record<Outcome, number>> = { converged: 0, "at-edge": 4, diverged: 1, running: 2, broken: 6 };

export const outcomeColour = (outcome: Outcome, theme: Theme) => runColours[theme][places[outcome]]!;
