import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";

/** Views that have come. */
const known = new Map<() => Promise<ComponentType>, ComponentType>();

/** A view whose code comes when it is first opened, so that those who never open it do not wait for it. */
export function Later({ load }: { readonly load: () => Promise<ComponentType> }) {
  const arrived = useSignal(0);
  const problem = useSignal(false);
  const View = known.get(load);
  useEffect(() => {
    if (known.has(load)) return;
    load().then(
      (view) => {
        known.set(load, view);
        arrived.value++;
      },
      () => (problem.value = true),
    );
  }, [load]);
  void arrived.value;
  if (View !== undefined) return <View />;
  return (
    <main id="charts" class="message" aria-busy={!problem.value} tabIndex={-1}>
      {problem.value ? <p role="alert">This view could not be read from the server. Load the page again.</p> : null}
    </main>
  );
}
