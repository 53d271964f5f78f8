/**
 * A headless browser for tests, with nothing to set up: Chromium, Chrome or Edge where one is installed, else the
 * headless Chromium that the npm package @sparticuz/chromium carries, with the shared libraries it needs.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { chromium, type Browser } from "playwright-core";
import { findBrowser } from "../../packages/cli/src/find-browser.js";

export interface BrowserProgram {
  readonly executablePath: string;
  /** Added to the environment of the browser process. */
  readonly env: Readonly<Record<string, string>>;
  readonly origin: "installed" | "packaged";
}

export function installedBrowser(): BrowserProgram | null {
  const executablePath = findBrowser();
  return executablePath === null ? null : { executablePath, env: {}, origin: "installed" };
}

/**
 * The packaged browser, unpacked once into node_modules/.cache. Several processes may ask at once: each unpacks into a
 * folder of its own and renames it into place, so nobody starts a half-written program.
 *
 * @throws Error where the package has no program for this platform.
 */
export function packagedBrowser(): BrowserProgram {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `No browser found for ${process.platform} ${process.arch}: install Chrome, Chromium or Edge in its usual place. ` +
        "The packaged one is for Linux on x64.",
    );
  }
  const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const packageFolder = entry.slice(
    0,
    entry.lastIndexOf(join("@sparticuz", "chromium")) + "@sparticuz/chromium".length,
  );
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string };
  const folder = join(packageFolder, "..", "..", ".cache", "sedge-chromium", version);
  if (!existsSync(folder)) unpack(join(packageFolder, "bin"), folder);
  return {
    executablePath: join(folder, "chromium"),
    // In the C locale it names its language "en-US@posix", which its own Intl then refuses.
    env: { LD_LIBRARY_PATH: join(folder, "lib"), FONTCONFIG_PATH: folder, LANG: "en_US.UTF-8", LC_ALL: "en_US.UTF-8" },
    origin: "packaged",
  };
}

function unpack(archives: string, folder: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  const staging = mkdtempSync(`${folder}-`);
  const content = (name: string) => brotliDecompressSync(readFileSync(join(archives, name)));
  writeFileSync(join(staging, "chromium"), content("chromium.br"), { mode: 0o755 });
  for (const name of ["al2023.tar.br", "fonts.tar.br"]) {
    execFileSync("tar", ["-xf", "-", "-C", staging], { input: content(name) });
  }
  // The package's fonts.conf names a folder under /tmp; ours lie beside it.
  const fontConfig = join(staging, "fonts.conf");
  writeFileSync(
    fontConfig,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`,
  );
  try {
    renameSync(staging, folder);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise another process was first, with the same content
  }
}

/**
 * Chromium tries to reach its makers' hosts at every start and while idle; these keep it to what a test asks for.
 * The sandbox needs user namespaces, which containers and CI machines often forbid; pages under test are our own.
 */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts a headless browser. Close it when done.
 *
 * @param only  "packaged" passes over what is installed.
 */
export async function launchBrowser({ only }: { readonly only?: "installed" | "packaged" } = {}): Promise<Browser> {
  const installed = only === "packaged" ? null : installedBrowser();
  if (only === "installed" && installed === null) throw new Error("launchBrowser: no browser is installed.");
  const program = installed ?? packagedBrowser();
  return chromium.launch({
    executablePath: program.executablePath,
    args: program.origin === "packaged" ? [...flags, "--no-zygote", "--headless=shell"] : flags,
    env: { ...definedOnly(process.env), ...program.env },
  });
}

const definedOnly = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
