/**
 * The devices that wait, newest first, put together from pages that are asked for at different times. An answer is the
 * truth for the part of the list that it covers: who is missing there has left.
 */
export interface Row {
  certid: string;
  enteredAt: string;
}

/** Where a page ends, and the next one begins. */
export interface Place {
  cursor: string;
  enteredAt: string;
}

export interface Answer<R> {
  nodes: readonly R[];
  /** Null: from the newest on. */
  from: Place | null;
  /** Null: there is nobody behind. */
  end: Place | null;
}

export interface Lobby<R> {
  rows: readonly R[];
  /** Where the rows end; null: that is everybody. */
  bottom: Place | null;
  /** Whether more than the first page was ever asked for. */
  deep: boolean;
}

export const NOBODY: Lobby<never> = { rows: [], bottom: null, deep: false };

/** What an answer says, with the place where it ends. */
export function answerOf<R extends Row>(
  nodes: readonly R[],
  pageInfo: { hasNextPage: boolean; endCursor: string | null },
  from: Place | null,
): Answer<R> {
  const last = nodes.at(-1);
  const cursor = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  return { nodes, from, end: cursor && last ? { cursor, enteredAt: last.enteredAt } : null };
}

/** The list once more, with the part that `answer` covers as it is now. */
export function taken<R extends Row>(lobby: Lobby<R>, answer: Answer<R>): Lobby<R> {
  const { nodes, from, end } = answer;
  if (from === null && !lobby.deep) return { rows: nodes, bottom: end, deep: false };
  const seen = new Set(nodes.map((row) => row.certid));
  const others = lobby.rows.filter((row) => !seen.has(row.certid));
  const above = from === null ? [] : others.filter((row) => row.enteredAt >= from.enteredAt);
  const below =
    end === null ? [] : others.filter((row) => row.enteredAt <= end.enteredAt && !above.includes(row));
  const bottom = below.length > 0 ? lobby.bottom : end;
  return { rows: [...above, ...nodes, ...below], bottom, deep: true };
}

/** Without those who have just been claimed. */
export function without<R extends Row>(lobby: Lobby<R>, claimed: ReadonlySet<string>): Lobby<R> {
  return { ...lobby, rows: lobby.rows.filter((row) => !claimed.has(row.certid)) };
}
