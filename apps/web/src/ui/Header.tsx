import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ConnectionState } from "../api/live.js";
import { usePage, type ThemeChoice } from "../view/page.js";
import type { ViewName } from "../view/view-state.js";
import { Logo } from "./icons.js";
import { Link } from "./Link.js";
import { Segmented } from "./Segmented.js";

const themes: readonly { readonly value: ThemeChoice; readonly label: string }[] = [
  { value: "system", label: "Auto" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

export function Header() {
  const page = usePage();
  return (
    <header class="site-head">
      <h1>
        <Logo />
        Sedge
      </h1>
      <p class="tagline">How far each run is from the two edges where SGD stops converging</p>
      <Views />
      <Connection />
      <Segmented
        label="Colours"
        options={themes}
        value={page.themeChoice.value}
        onChange={(choice) => (page.themeChoice.value = choice)}
      />
    </header>
  );
}

const views: readonly { readonly view: Exclude<ViewName, "run">; readonly label: string }[] = [
  { view: "charts", label: "Charts" },
  { view: "table", label: "Table" },
  { view: "compare", label: "Compare" },
  { view: "phases", label: "Phases" },
];

function Views() {
  const { view } = usePage().view.value;
  return (
    <nav class="views" aria-label="Views">
      {views.map((item) => (
        <Link key={item.view} to={{ view: item.view, run: "" }} current={view === item.view}>
          {item.label}
        </Link>
      ))}
    </nav>
  );
}

function Connection() {
  const { connection } = usePage().feed.value;
  const words = { connecting: "connecting", live: "live", waiting: "disconnected" } as const;
  return (
    <p class="connection" data-connection={connection.kind} role="status">
      <span class="connection-dot" aria-hidden="true" />
      {words[connection.kind]}
    </p>
  );
}

/** Above everything while the server is away or has answered with an error. What was read stays on the page. */
export function Banner() {
  const page = usePage();
  const { connection, error, listed } = page.feed.value;
  if (!listed) return null; // the page itself says what is the matter
  if (connection.kind === "waiting") {
    return (
      <div class="banner" role="alert">
        <p>
          <strong>The connection to the server is lost.</strong> What you see is the last that was received.{" "}
          <Countdown connection={connection} />
        </p>
        <button type="button" onClick={() => page.retryNow()}>
          Try now
        </button>
      </div>
    );
  }
  if (error === null) return null;
  return (
    <div class="banner" role="alert">
      <p>
        <strong>Some of the data could not be read.</strong> {error}
      </p>
      <button type="button" onClick={() => page.retryNow()}>
        Try again
      </button>
    </div>
  );
}

function Countdown({ connection }: { readonly connection: Extract<ConnectionState, { kind: "waiting" }> }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((connection.retryAt - now.value) / 1000));
  // Not announced: a screen reader would count down aloud.
  return <span aria-hidden="true">{seconds > 0 ? `Next attempt in ${seconds} s.` : "Trying again …"}</span>;
}
