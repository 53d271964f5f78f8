import type { ComponentChildren } from "preact";

/** What stands where there is nothing to show yet, or nothing at all: a sentence, and how to change that. */
export function Notice({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="notice">
      <p class="notice-title">{title}</p>
      {children}
    </div>
  );
}
