import { describe, expect, it } from "vitest";
import { linkedFiles, siteLink, slug, sourcePage } from "../docs/.vitepress/source-links.js";

describe("links from the documentation into the repository", () => {
  it("all lead to files that are there", () => {
    const files = linkedFiles();
    expect(files).toContain("packages/theory/src/noise-kernel.ts");
    expect(files).toContain("packages/theory/README.md");
  });

  it("become links of the site: to its pages, or to a page that shows the file", () => {
    expect(siteLink("docs/theory/noise-kernel.md", "edges.md#momentum")).toBe("/theory/edges.md#momentum");
    expect(siteLink("docs/theory/noise-kernel.md", "../../packages/theory/src/critical.ts")).toBe(
      `/source/${slug("packages/theory/src/critical.ts")}`,
    );
    expect(siteLink("docs/tutorial.md", "../packages/theory")).toBe(`/source/${slug("packages/theory/README.md")}`);
    expect(siteLink("docs/tutorial.md", "https://arxiv.org/abs/2404.19261")).toBeUndefined();
    expect(siteLink("docs/tutorial.md", "#read-the-answer")).toBeUndefined();
  });

  it("are refused where they lead nowhere, with the page and the link", () => {
    expect(() => siteLink("docs/tutorial.md", "../packages/theory/src/noise-kernal.ts")).toThrow(
      "docs/tutorial.md: dead link ../packages/theory/src/noise-kernal.ts",
    );
  });

  it("shows a file in a fence that is longer than any within it", () => {
    const page = sourcePage("docs/.vitepress/source-links.ts");
    const fence = /^(`+)ts:line-numbers$/m.exec(page)![1]!;
    expect(page.slice(page.indexOf("ts:line-numbers"), -fence.length - 1)).not.toContain(fence);
    expect(sourcePage("packages/theory/README.md")).not.toContain("](../../docs/");
  });
});
