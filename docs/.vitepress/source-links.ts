/** Links from a page to a file of the repository: on the site, to a page that shows the file. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const docsRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const repository = dirname(docsRoot);
const links = /\]\(([^)\s]+)\)/g;

/**
 * Where on the site a link leads that was written for the repository.
 *
 * @param from  The file that holds the link, its path within the repository with `/` between folders.
 * @returns undefined for links to other sites, anchors and what is already a path of the site.
 * @throws Error where there is no such file: a dead link.
 */
export function siteLink(from: string, href: string): string | undefined {
  const path = target(from, href);
  if (path === undefined) return undefined;
  const anchor = href.includes("#") ? `#${href.split("#")[1]!}` : "";
  return `${isPage(path) ? path.slice("docs".length) : `/source/${slug(path)}`}${anchor}`;
}

/** The files of the repository that pages link to, and those that these link to. */
export function linkedFiles(): string[] {
  const found = new Set<string>();
  const visit = (from: string): void => {
    for (const [, href] of readFileSync(join(repository, from), "utf8").matchAll(links)) {
      const path = target(from, href!);
      if (path === undefined || isPage(path) || found.has(path)) continue;
      found.add(path);
      if (path.endsWith(".md")) visit(path);
    }
  };
  for (const entry of readdirSync(docsRoot, { recursive: true, encoding: "utf8" })) {
    const page = `docs/${entry.split(sep).join("/")}`;
    if (isPage(page)) visit(page);
  }
  return [...found].sort();
}

/** The name of the page that shows a file; a dot would be read as the ending of a file of the site. */
export function slug(path: string): string {
  return path.replaceAll(".", "-");
}

/** A file of the repository as a page: Markdown as it is, anything else as its name and its numbered lines. */
export function sourcePage(path: string): string {
  const text = readFileSync(join(repository, path), "utf8");
  if (path.endsWith(".md")) return text.replace(links, (_, href: string) => `](${siteLink(path, href) ?? href})`);
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `# ${posix.basename(path)}\n\n\`${path}\`\n\n${fence}${language(path)}:line-numbers\n${text}\n${fence}\n`;
}

/** The path within the repository of a page that Markdown is made for. */
export function pagePath(environment: { path?: string; realPath?: string }): string {
  return relative(repository, environment.realPath ?? environment.path ?? "")
    .split(sep)
    .join("/");
}

function target(from: string, href: string): string | undefined {
  if (/^([a-z]+:|#|\/)/i.test(href)) return undefined;
  const path = posix.normalize(posix.join(posix.dirname(from), decodeURI(href).split("#")[0]!));
  if (!existsSync(join(repository, path))) {
    // Written by scripts/reference-pages.mjs when the site is made; VitePress checks links to them.
    if (path.startsWith("docs/reference/")) return path;
    throw new Error(`${from}: dead link ${href}: no file ${path}.`);
  }
  return statSync(join(repository, path)).isDirectory() ? posix.join(path, "README.md") : path;
}

function isPage(path: string): boolean {
  return path.startsWith("docs/") && path.endsWith(".md") && !path.startsWith("docs/.") && !path.includes("[");
}

function language(path: string): string {
  return { ".ts": "ts", ".mjs": "js", ".py": "python", ".json": "json", ".tsx": "tsx" }[posix.extname(path)] ?? "text";
}
