import cliProgress from "cli-progress";
import type { Io } from "../io.js";

/** @param format  What stands behind the bar and its percentage: names in braces are filled in from each update. */
export function progressBar(io: Io, format: string): cliProgress.SingleBar {
  return new cliProgress.SingleBar(
    {
      stream: io.progress,
      hideCursor: true,
      gracefulExit: false, // Ctrl-C is the command's own business
      linewrap: false,
      fps: 10,
      format: `{bar} {percentage}%  ${format}`,
      barsize: 24,
    },
    cliProgress.Presets.rect,
  );
}
