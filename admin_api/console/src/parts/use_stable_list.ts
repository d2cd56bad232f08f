/** Keeps a list in place while the user works in it (`stable_list.ts`). */
import { useCallback, useMemo, useState } from "react";
import { free, type StableList, stableList } from "./stable_list";

interface Shown<Row> {
  key: string;
  rows: readonly Row[];
}

/**
 * `key` identifies the list; another list is shown unchanged. `show` applies the changes that were held back.
 */
export function useStableList<Row extends { certid: string }>(
  now: readonly Row[],
  busy: boolean,
  key = "",
): { list: StableList<Row>; show: () => void } {
  const [shown, setShown] = useState<Shown<Row> | null>(null);
  const current = shown?.key === key ? shown : null;
  // State derived from props is set during rendering, as React recommends.
  if (busy && current === null) setShown({ key, rows: now });
  if (!busy && shown !== null) setShown(null);
  const list = useMemo(
    () => (busy && current ? stableList(current.rows, now) : free(now)),
    [busy, current, now],
  );
  const show = useCallback(() => setShown(null), []);
  return { list, show };
}
