import { expect, test } from "vitest";
import { bitmapUri } from "./bitmap.js";

const bytesOf = (uri: string) => [...Buffer.from(uri.replace("data:image/bmp;base64,", ""), "base64")];
const base64 = (bytes: readonly number[]) => Buffer.from(bytes).toString("base64");

test("rows from the bottom up, blue first, filled to four bytes, as the format has them", () => {
  const pixels = [1, 2, 3, 4, 5, 6]; // red (1, 2, 3) above (4, 5, 6)
  const file = bytesOf(bitmapUri({ width: 1, height: 2, channels: 3, pixels: base64(pixels) }));
  expect(String.fromCharCode(...file.slice(0, 2))).toBe("BM");
  expect([file[2], file[10], file[14], file[18], file[22], file[28]]).toEqual([62, 54, 40, 1, 2, 24]);
  expect(file.slice(54)).toEqual([6, 5, 4, 0, 3, 2, 1, 0]);
});

test("a grey image has three equal colours", () => {
  const file = bytesOf(bitmapUri({ width: 2, height: 1, channels: 1, pixels: base64([9, 200]) }));
  expect(file.slice(54)).toEqual([9, 9, 9, 200, 200, 200, 0, 0]);
});
