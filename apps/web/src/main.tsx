import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import { App } from "./app.js";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/runs.css";
import "./styles/charts.css";
import "./styles/tables.css";
import "./styles/views.css";
import { startPage } from "./view/page.js";

render(<App page={startPage()} />, document.getElementById("app")!);
