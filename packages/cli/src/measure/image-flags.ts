import { BadInput } from "@sedge/lab";

/** `0.49,0.48,0.45` as numbers. @throws BadInput naming the flag. */
export function numberList(flag: string, text: string, allowed: (value: number) => boolean, wanted: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (values.every(allowed)) return values;
  throw new BadInput(`${flag}: expected ${wanted}, got ${JSON.stringify(text)}.`);
}

/** Height and width of `[side]`, `[H, W]`, or of a model's `[C, H, W]` or `[H, W, C]`; null where they are not fixed. */
export function imageSizeOf(shape: readonly (number | string)[]): readonly [number, number] | null {
  const [a, b, c] = shape;
  const sizes = shape.length === 1 ? [a, a] : shape.length === 2 ? [a, b] : c === 3 || c === 1 ? [a, b] : [b, c];
  const [height, width] = sizes;
  return typeof height === "number" && typeof width === "number" ? [height, width] : null;
}
