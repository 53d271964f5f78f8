import type { ImageSet } from "../../data/image-set.js";

/** Small images are enlarged to about this, pixel by pixel, so that they can be seen. */
const shownSide = 96;

/** Some images of a set as PNG data URIs, by their places in it. */
export async function thumbnails(set: ImageSet, places: readonly number[]): Promise<string[]> {
  const { default: sharp } = await import("sharp");
  const { height, width, channels, pixels } = set;
  const size = height * width * channels;
  const scale = Math.max(1, Math.floor(shownSide / Math.max(height, width)));
  return Promise.all(
    places.map(async (place) => {
      const raw = pixels.slice(place * size, (place + 1) * size);
      const png = await sharp(raw, { raw: { width, height, channels: channels === 1 ? 1 : 3 } })
        .resize(width * scale, height * scale, { kernel: "nearest" })
        .png()
        .toBuffer();
      return `data:image/png;base64,${png.toString("base64")}`;
    }),
  );
}
