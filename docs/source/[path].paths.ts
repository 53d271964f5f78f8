import { linkedFiles, slug, sourcePage } from "../.vitepress/source-links.js";

/** One page for every file of the repository that a page of the documentation links to. */
export default {
  paths: () => linkedFiles().map((path) => ({ params: { path: slug(path) }, content: sourcePage(path) })),
};
