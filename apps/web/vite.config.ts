import { defineConfig } from "vite";

export default defineConfig({
  resolve: { conditions: ["@sedge/source", "module", "browser", "import", "default"] },
  base: "./",
  // `npm run dev` shows the runs of a `sedge serve` beside it.
  server: { proxy: { "/api": "http://127.0.0.1:7878" } },
  build: { target: "es2022", sourcemap: true },
});
