import { effect, signal } from "@preact/signals";
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "../styles/tokens.css";
import "../styles/base.css";
import "../styles/layout.css";
import "../styles/charts.css";
import "./playground.css";
import { saveFile } from "../export/save.js";
import type { Theme } from "../view/palette.js";
import { createLab } from "./lab.js";
import { Playground } from "./Playground.js";
import { fromQuery, toQuery } from "./settings.js";

const theme = signal<Theme>(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
const worker = new Worker(new URL("./training/worker.ts", import.meta.url), { type: "module" });

const lab = createLab(
  worker,
  fromQuery(location.search),
  async () => {
    const response = await fetch(new URL("mnist-1000.bin", document.baseURI));
    if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  },
  (file, step) => saveFile(`sedge-playground-step-${step}.safetensors`, new Blob([new Uint8Array(file)])),
);

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});
// The address holds the settings, so that it can be shared; a slider under way writes it only now and then.
let writing: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  const query = toQuery(lab.settings.value);
  clearTimeout(writing);
  writing = setTimeout(() => history.replaceState(null, "", query), 300);
});

render(<Playground lab={lab} theme={theme} />, document.getElementById("app")!);
