import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { mnistAsset } from "./mnist-asset.js";

const page = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  plugins: [mnistAsset()],
  resolve: {
    conditions: ["@sedge/source", "module", "browser", "import", "default"],
    // The playground trains on WebAssembly only; WebGPU's engine would double what is shipped.
    alias: { "onnxruntime-web/webgpu": "onnxruntime-web/wasm" },
  },
  // Relative, so that the built folder works from any place of any static host.
  base: "./",
  // `npm run dev` shows the runs of a `sedge serve` beside it.
  server: { proxy: { "/api": "http://127.0.0.1:7878" } },
  worker: { format: "es" },
  build: {
    target: "es2022",
    sourcemap: true,
    rolldownOptions: { input: { index: page("index.html"), playground: page("playground.html") } },
  },
});
