/**
 * Which runs are drawn: all but some, so that a run that starts shows up by itself, or some and no others.
 */
export interface Selection {
  readonly kind: "all-but" | "only";
  readonly ids: ReadonlySet<string>;
}

export const everything: Selection = { kind: "all-but", ids: new Set() };

export function isSelected({ kind, ids }: Selection, id: string): boolean {
  return ids.has(id) === (kind === "only");
}

export function toggled(selection: Selection, id: string): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ...selection, ids };
}

/** Only this run; everything again if it was alone already. */
export function solo(selection: Selection, id: string): Selection {
  const alone = selection.kind === "only" && selection.ids.size === 1 && selection.ids.has(id);
  return alone ? everything : { kind: "only", ids: new Set([id]) };
}
