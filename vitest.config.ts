import { defineConfig } from "vitest/config";

// Packages resolve to their TypeScript sources, so a test never runs against a stale build.
const conditions = ["@sedge/source", "module", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "apps/*/src/**/*.test.{ts,tsx}",
      "test/**/*.test.ts",
      "examples/**/*.test.ts",
      "bench/*.test.ts",
    ],
    // ONNX Runtime and native libraries do not survive being loaded in several worker threads at once.
    pool: "forks",
    // One file a core: vitest would otherwise leave one of two cores idle.
    maxWorkers: "100%",
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // fast-check prints its seed on failure; this one makes every run the same run.
    setupFiles: ["test/setup.ts"],
  },
});
