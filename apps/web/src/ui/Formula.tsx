import type * as Katex from "katex";
import { useEffect, useRef } from "preact/hooks";

/** KaTeX is large and most pages show no formula: it comes when the first one does. */
let katex: Promise<typeof Katex> | null = null;

/** A formula in TeX, as MathML: browsers set it in their own mathematical font and screen readers can read it. */
export function Formula({ tex, block = false }: { readonly tex: string; readonly block?: boolean }) {
  const host = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let wanted = true;
    katex ??= import("katex");
    void katex.then(({ default: { render } }) => {
      if (wanted && host.current !== null) render(tex, host.current, { output: "mathml", displayMode: block });
    });
    return () => void (wanted = false);
  }, [tex, block]);
  // Until then the source stands there, which is better than a gap that jumps open.
  return (
    <span ref={host} class={block ? "formula formula-block" : "formula"} key={tex}>
      {tex}
    </span>
  );
}
