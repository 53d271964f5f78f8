/** Points of a sparkline: more than its pixels can show. */
const most = 48;

export interface Sparkline {
  /** Of the line, as SVG path data in a box `width` × `height`; empty where nothing was measured. */
  readonly path: string;
  /** Height at which the edge K = 1 lies in the box. */
  readonly edge: number;
}

/**
 * K over a run as a small picture: time to the right, K upward on a scale from 0 to 1.5, with everything beyond (infinite
 * values too) at its top. All runs share the scale, so that rows can be compared.
 */
export function sparkline(values: ArrayLike<number>, width: number, height: number): Sparkline {
  const top = 1.5;
  const y = (value: number) => height - (Math.min(Math.max(value, 0), top) / top) * height;
  const step = Math.max(1, Math.ceil(values.length / most));
  let path = "";
  let open = false;
  for (let i = 0; i < values.length; i += step) {
    // Of each bucket the highest: what was beyond the edge must be seen.
    let highest = NaN;
    for (let k = i; k < Math.min(values.length, i + step); k++) {
      const value = values[k]!;
      if (!Number.isNaN(value) && !(value <= highest)) highest = value;
    }
    if (Number.isNaN(highest)) {
      open = false;
      continue;
    }
    const x =
      values.length > 1 ? (Math.min(i + (step - 1) / 2, values.length - 1) / (values.length - 1)) * width : width;
    path += `${open ? "L" : "M"}${x.toFixed(1)} ${y(highest).toFixed(1)}`;
    open = true;
  }
  return { path, edge: y(1) };
}
