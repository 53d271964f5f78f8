import type { Io } from "../io.js";
import type { FinishedJob } from "./train-runs.js";

/** A line for everything about a run's end that a person should hear, and nothing where all went well. */
export function reportOutcome({ label, outcome }: FinishedJob, io: Io, command: string): void {
  switch (outcome.type) {
    case "refused":
      io.note(`sedge ${command}: ${outcome.message}`);
      return;
    case "failed":
    case "died":
      io.note(`sedge ${command}: ${label}: ${outcome.message}`);
      return;
    case "ended":
      for (const warning of outcome.warnings) io.note(`${label}: ${warning}`);
  }
}
