import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";

/**
 * The picture of an SVG that `drawSheet` made.
 *
 * @param scale  Pixels of the PNG for one of the SVG. Default 2.
 */
export function renderPng(svg: string, { scale = 2 }: { readonly scale?: number } = {}): Uint8Array {
  const { resolve } = createRequire(import.meta.url);
  const image = new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    font: {
      // Only the fonts that come with the package: the same picture on every machine, one without fonts included.
      loadSystemFonts: false,
      fontFiles: ["400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf"].map((file) =>
        resolve(`@expo-google-fonts/inter/${file}`),
      ),
      defaultFontFamily: "Inter",
    },
  });
  return image.render().asPng();
}
