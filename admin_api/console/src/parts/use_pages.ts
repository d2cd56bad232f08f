/** A list that is loaded page by page: the first when it opens, further ones on request. Failed pages keep the list. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { Failure } from "../api/failures";

export interface Page<Entry> {
  nodes: readonly Entry[];
  /** The cursor of the next page; null: this is the last. */
  next: string | null;
}

export interface Pages<Entry> {
  /** Undefined: the first page is not loaded yet. */
  entries: readonly Entry[] | undefined;
  next: string | null;
  busy: boolean;
  failure: Failure | null;
}

const NOTHING = { entries: undefined, next: null, busy: true, failure: null } as const;

/** `load` returns the page after a cursor, or the failure. Another `load` begins another list. */
export function usePages<Entry>(load: (after: string | null) => Promise<Page<Entry> | Failure>) {
  const [pages, setPages] = useState<Pages<Entry>>(NOTHING);
  // The response to an earlier request does not replace that of a later one.
  const latest = useRef(0);
  const request = useCallback(
    async (after: string | null) => {
      latest.current += 1;
      const nth = latest.current;
      setPages((now) => ({ ...now, busy: true }));
      const answer = await load(after);
      if (nth !== latest.current) return;
      setPages((now) => {
        if ("code" in answer) return { ...now, busy: false, failure: answer };
        const before = after === null ? [] : (now.entries ?? []);
        return { entries: [...before, ...answer.nodes], next: answer.next, busy: false, failure: null };
      });
    },
    [load],
  );
  useEffect(() => {
    setPages(NOTHING);
    void request(null);
    return () => {
      latest.current += 1;
    };
  }, [request]);
  const refresh = useCallback(() => void request(null), [request]);
  const more = () => void request(pages.next);
  return { ...pages, refresh, more };
}
