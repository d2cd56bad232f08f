/** Keeps a list in place while the user works in it (`stable_list.ts`). */
import { useCallback, useMemo, useState } from "react";
import { free, type StableList, stableList } from "./stable_list";

interface Held<Row> {
  key: string;
  rows: readonly Row[];
}

/**
 * `key`: identifies the list; another list is shown as it is. `show` applies the changes that were held back.
 */
export function useStableList<Row extends { certid: string }>(
  now: readonly Row[],
  busy: boolean,
  key = "",
): { list: StableList<Row>; show: () => void } {
  const [held, setHeld] = useState<Held<Row> | null>(null);
  const current = held?.key === key ? held : null;
  // State derived from props is set during rendering, as React recommends.
  if (busy && current === null) setHeld({ key, rows: now });
  if (!busy && held !== null) setHeld(null);
  const list = useMemo(
    () => (busy && current ? stableList(current.rows, now) : free(now)),
    [busy, current, now],
  );
  const show = useCallback(() => setHeld(null), []);
  return { list, show };
}
