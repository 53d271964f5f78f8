import { defineConfig } from "vite";

export default defineConfig({
  resolve: { conditions: ["@sedge/source", "module", "browser", "import", "default"] },
  base: "./",
  build: { target: "es2022", sourcemap: true },
});
