import { trainConfigSchema } from "@sedge/lab";
import type { RunSummary } from "@sedge/server";

/**
 * Commands that train the runs again. Each gives `sedge train` the whole config in a file: nothing is left to defaults,
 * which may change. A run whose config is not one of Sedge's trainer has none.
 */
export function reproduceCommands(runs: readonly RunSummary[]): string[] {
  return runs.flatMap(({ config }, i) => {
    if (!trainConfigSchema.safeParse(config).success) return [];
    const file = runs.length === 1 ? "run.json" : `run-${i + 1}.json`;
    return [`cat > ${file} <<'END'`, JSON.stringify(config), "END", `npx sedge train ${file}`];
  });
}
