import type { ComponentChildren } from "preact";
import { usePage } from "../view/page.js";
import type { ViewState } from "../view/view-state.js";

interface LinkProps {
  /** What the place differs in from this one. */
  readonly to: Partial<ViewState>;
  /** Whether this is where the reader is. */
  readonly current?: boolean;
  readonly class?: string;
  readonly title?: string;
  readonly children: ComponentChildren;
}

/** A link to another view of this page: a real address, so it can be copied or opened in a tab of its own. */
export function Link({ to, current = false, class: name, title, children }: LinkProps) {
  const page = usePage();
  const onClick = (event: MouseEvent) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    page.visit(to);
  };
  return (
    <a href={page.linkTo(to)} class={name} title={title} aria-current={current ? "page" : undefined} onClick={onClick}>
      {children}
    </a>
  );
}
