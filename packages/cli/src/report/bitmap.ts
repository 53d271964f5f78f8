/** What an example's record holds of an image. */
export interface RecordedImage {
  readonly width: number;
  readonly height: number;
  /** 1 or 3. */
  readonly channels: number;
  /** Base64 of width·height·channels bytes, row-major, channels last. */
  readonly pixels: string;
}

const headerBytes = 54;

/** An image as a data URI that every browser draws: an uncompressed bitmap of 24 bits, rows from the bottom up. */
export function bitmapUri({ width, height, channels, pixels }: RecordedImage): string {
  const source = Buffer.from(pixels, "base64");
  const stride = Math.ceil((3 * width) / 4) * 4;
  const file = Buffer.alloc(headerBytes + stride * height);
  file.write("BM");
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(headerBytes, 10);
  file.writeUInt32LE(40, 14); // of BITMAPINFOHEADER
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  file.writeUInt32LE(stride * height, 34);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      const to = headerBytes + (height - 1 - y) * stride + 3 * x;
      for (let c = 0; c < 3; c++) file[to + c] = source[from + (channels === 1 ? 0 : 2 - c)] ?? 0; // blue first
    }
  }
  return `data:image/bmp;base64,${file.toString("base64")}`;
}
