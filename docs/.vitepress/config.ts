import { defineConfig } from "vitepress";
import { pagePath, siteLink } from "./source-links.js";

const page = (text: string, link: string) => ({ text, link });

export default defineConfig({
  title: "Sedge",
  description: "The stability instrument for stochastic gradient descent",
  lang: "en-GB",
  base: process.env["SEDGE_SITE_BASE"] ?? "/",
  cleanUrls: false,
  // API pages are TypeDoc's, written beside the built site.
  ignoreDeadLinks: [/^\/api\//],
  markdown: {
    math: true,
    config(markdown) {
      markdown.core.ruler.push("repository-links", (state) => {
        const from = pagePath(state.env as { path?: string; realPath?: string });
        // Pages that show a file had their links turned as they were made.
        if (from.startsWith("docs/source/")) return;
        for (const token of state.tokens.flatMap((block) => block.children ?? [])) {
          const href = token.type === "link_open" ? token.attrGet("href") : null;
          const link = href === null ? undefined : siteLink(from, href);
          if (link !== undefined) token.attrSet("href", link);
        }
      });
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      page("Tutorial", "/tutorial"),
      page("Concepts", "/concepts/two-edges"),
      page("Guides", "/guides/"),
      page("Theory", "/theory/"),
      page("Reference", "/reference/"),
    ],
    sidebar: [
      {
        text: "Start",
        items: [
          page("Five minutes", "/tutorial"),
          page("Compared with other tools", "/comparison"),
          page("How to cite", "/citing"),
        ],
      },
      {
        text: "Concepts",
        items: [
          page("The two edges", "/concepts/two-edges"),
          page("Reading the chart", "/concepts/reading-the-chart"),
          page("How sure, and when K means nothing", "/concepts/numerical-notes"),
        ],
      },
      {
        text: "Guides",
        items: [
          page("All guides", "/guides/"),
          page("Log from PyTorch", "/guides/pytorch"),
          page("Log with MLflow", "/guides/mlflow"),
          page("Follow TensorBoard logs", "/guides/tensorboard"),
          page("Write a report", "/guides/reports"),
          page("The run store and exports", "/guides/store-and-export"),
          page("Who can reach the server", "/guides/server-security"),
          page("Differentiate your own ONNX model", "/autodiff/importing"),
          page("Measure a model", "/measuring/sedge-measure"),
          page("Models, starting weights, losses", "/lab/models-and-losses"),
          page("Data and resuming", "/lab/data-and-resuming"),
          page("Sweeps, here and on Slurm", "/sweeps/"),
          page("Let K choose η or B", "/control/"),
          page("Write a probe", "/guides/writing-a-probe"),
          page("Add an operator", "/autodiff/adding-an-op"),
        ],
      },
      {
        text: "Theory",
        collapsed: true,
        items: [
          page("Overview", "/theory/"),
          page("Setting", "/theory/setting"),
          page("Response", "/theory/response"),
          page("Noise kernel", "/theory/noise-kernel"),
          page("Edges and critical values", "/theory/edges"),
          page("Loss curves", "/theory/loss-curves"),
          page("Quadratic model", "/theory/quadratic-model"),
        ],
      },
      {
        text: "Reference",
        items: [
          page("Commands", "/reference/commands"),
          page("Configuration", "/reference/configuration"),
          page("Metrics and events", "/reference/metrics"),
          page("Licences", "/reference/licences"),
          page("What is measured", "/measuring/"),
          page("Operators", "/autodiff/operators"),
          { text: "API", link: "/api/index.html", target: "_self" },
        ],
      },
      {
        text: "Evidence",
        items: [
          page("Benchmarks", "/benchmarks"),
          page("Accuracy of differentiation", "/autodiff/accuracy"),
          page("Speed of differentiation", "/autodiff/performance"),
          page("Formulations", "/autodiff/formulations"),
          page("MNIST at three learning rates", "/studies/mnist-three-learning-rates"),
          page("Decisions", "/decisions/"),
        ],
      },
    ],
  },
  // decisions/README.md and the like are their folder's index.
  rewrites: { ":folder/README.md": ":folder/index.md" },
});
