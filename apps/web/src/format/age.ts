/** How long ago something was, in one unit: "just now", "4 min ago", "3 h ago", "12 d ago"; the date where it is over a month. */
export function formatAge(time: number, now: number): string {
  const seconds = (now - time) / 1000;
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 60) return "just now"; // clocks that disagree a little make it negative
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 31 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return new Date(time).toISOString().slice(0, 10);
}
