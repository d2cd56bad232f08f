/**
 * Merges pages that were loaded at different times into one list, newest first. A response is authoritative
 * for the range it covers: devices missing from it have left.
 */
export interface Row {
  certid: string;
  enteredAt: string;
}

/** Where a page ends and the next begins. */
export interface PagePosition {
  cursor: string;
  enteredAt: string;
}

export interface Answer<R> {
  nodes: readonly R[];
  /** Null: from the newest. */
  from: PagePosition | null;
  /** Null: the end of the list. */
  end: PagePosition | null;
}

export interface Lobby<R> {
  rows: readonly R[];
  /** Where the rows end; null: all rows are loaded. */
  bottom: PagePosition | null;
  /** Whether more than the first page was loaded. */
  deep: boolean;
}

export const EMPTY_LOBBY: Lobby<never> = { rows: [], bottom: null, deep: false };

/** Convert a response to an answer with its end position. */
export function answerOf<R extends Row>(
  nodes: readonly R[],
  pageInfo: { hasNextPage: boolean; endCursor: string | null },
  from: PagePosition | null,
): Answer<R> {
  const last = nodes.at(-1);
  const cursor = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  return { nodes, from, end: cursor && last ? { cursor, enteredAt: last.enteredAt } : null };
}

/** Replace the range that `answer` covers. */
export function merge<R extends Row>(lobby: Lobby<R>, answer: Answer<R>): Lobby<R> {
  const { nodes, from, end } = answer;
  if (from === null && !lobby.deep) return { rows: nodes, bottom: end, deep: false };
  const received = new Set(nodes.map((row) => row.certid));
  const others = lobby.rows.filter((row) => !received.has(row.certid));
  const above = from === null ? [] : others.filter((row) => row.enteredAt >= from.enteredAt);
  const below =
    end === null ? [] : others.filter((row) => row.enteredAt <= end.enteredAt && !above.includes(row));
  const bottom = below.length > 0 ? lobby.bottom : end;
  return { rows: [...above, ...nodes, ...below], bottom, deep: true };
}

/** Remove devices that were just claimed. */
export function without<R extends Row>(lobby: Lobby<R>, claimed: ReadonlySet<string>): Lobby<R> {
  return { ...lobby, rows: lobby.rows.filter((row) => !claimed.has(row.certid)) };
}
