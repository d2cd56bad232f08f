/** A list that is held still while somebody is at work in it (`steady.ts`), and let go afterwards. */
import { useCallback, useMemo, useState } from "react";
import { free, type Steady, steady } from "./steady";

interface Held<Row> {
  about: string;
  rows: readonly Row[];
}

/** `about`: which list it is; another one is shown as it is. `show` lets in what was held back. */
export function useSteady<Row extends { certid: string }>(
  now: readonly Row[],
  busy: boolean,
  about = "",
): { list: Steady<Row>; show: () => void } {
  const [held, setHeld] = useState<Held<Row> | null>(null);
  const current = held?.about === about ? held : null;
  // Set while rendering, as React has it for state that follows from what is handed in.
  if (busy && current === null) setHeld({ about, rows: now });
  if (!busy && held !== null) setHeld(null);
  const list = useMemo(() => (busy && current ? steady(current.rows, now) : free(now)), [busy, current, now]);
  const show = useCallback(() => setHeld(null), []);
  return { list, show };
}
