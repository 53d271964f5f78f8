/** The pieces that pages of figures and tables are made of. */

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it is to be read, whatever it holds. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => escapes[sign]!);

/** @param body  HTML. */
export const htmlSection = (title: string, body: string): string =>
  `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;

/**
 * A table that scrolls by itself where the page is narrow.
 *
 * @param head  Text; without any, the table has no head.
 * @param rows  Cells as HTML.
 */
export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  const titles = head.some((title) => title !== "") ? `<thead>${line(head.map(escapeHtml), "th")}</thead>` : "";
  return `<div class="scroll" tabindex="0"><table>${titles}<tbody>${rows.map((row) => line(row, "td")).join("")}</tbody></table></div>`;
}
