/**
 * The waiting devices, polled every 3 seconds while the page is visible: always the newest, and one further
 * page in rotation if more are loaded, so that devices that left disappear there too.
 */
import { useCallback, useRef, useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { graphql, type ResultOf } from "../../api/graphql";
import { usePolling } from "../../api/polling";
import {
  type Answer,
  answerOf,
  EMPTY_LOBBY,
  type Lobby,
  merge,
  type PagePosition,
  without,
} from "./lobby_rows";
import { MAX_SELECTED } from "./selection";

export const WAITING = graphql(`
  query Waiting($first: Int!, $after: String) {
    devices(filter: { state: "inlobby" }, first: $first, after: $after) {
      nodes { certid devicename enteredAt firstSeen lobbyRegion allowedActions online onlineSince }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export type WaitingRow = ResultOf<typeof WAITING>["devices"]["nodes"][number];

export const PAGE = 50;
const MAX_PAGE = 100;
const EVERY_MS = 3_000;

export interface Waiting {
  rows: readonly WaitingRow[];
  /** Whether there are more. */
  hasMore: boolean;
  /** When the newest were last loaded; null: never. */
  at: Date | null;
  failure: Failure | undefined;
  /** Whether more are being loaded. */
  loading: boolean;
  refresh: () => Promise<void>;
  /** Load the next page. */
  more: () => Promise<void>;
  /** Load as many as can be selected, and return them. */
  loadAll: () => Promise<readonly WaitingRow[]>;
  /** Remove claimed devices immediately. */
  remove: (certids: readonly string[]) => void;
}

export function useWaiting(): Waiting {
  const client = useClient();
  const [lobby, setLobby] = useState<Lobby<WaitingRow>>(EMPTY_LOBBY);
  const [at, setAt] = useState<Date | null>(null);
  const [failure, setFailure] = useState<Failure>();
  const [loading, setLoading] = useState(false);
  const lobbyRef = useRef<Lobby<WaitingRow>>(EMPTY_LOBBY);
  const claimedRows = useRef(new Set<string>());
  const walk = useRef<PagePosition | null>(null);

  const put = useCallback((next: Lobby<WaitingRow>) => {
    lobbyRef.current = next;
    setLobby(next);
  }, []);

  const ask = useCallback(
    async (from: PagePosition | null, first: number): Promise<Answer<WaitingRow> | undefined> => {
      const { data, error } = await client
        .query(WAITING, { first, after: from?.cursor ?? null }, { requestPolicy: "network-only" })
        .toPromise();
      setFailure(error && failureOf(error));
      if (!data) return undefined;
      const answer = answerOf(data.devices.nodes, data.devices.pageInfo, from);
      // The index can return a just-claimed device for some milliseconds. A device that returned has a later time.
      const nodes = answer.nodes.filter((row) => !claimedRows.current.has(row.certid + row.enteredAt));
      put(merge(lobbyRef.current, { ...answer, nodes }));
      if (from === null) setAt(new Date());
      return answer;
    },
    [client, put],
  );

  const refresh = useCallback(async () => {
    const head = await ask(null, PAGE);
    if (!head?.end || !lobbyRef.current.deep) return;
    const further = await ask(walk.current ?? head.end, PAGE);
    const deepest = lobbyRef.current.rows.at(-1);
    const on = further?.end && deepest && deepest.enteredAt < further.end.enteredAt;
    walk.current = on ? further.end : null;
  }, [ask]);

  const load = useCallback(
    async (upTo: number, first: number) => {
      setLoading(true);
      while (lobbyRef.current.bottom && lobbyRef.current.rows.length < upTo) {
        if (!(await ask(lobbyRef.current.bottom, first))) break;
      }
      setLoading(false);
      return lobbyRef.current.rows;
    },
    [ask],
  );

  usePolling(EVERY_MS, refresh, "");

  return {
    rows: lobby.rows,
    hasMore: lobby.bottom !== null,
    at,
    failure,
    loading,
    refresh,
    more: async () => void (await load(lobbyRef.current.rows.length + 1, PAGE)),
    loadAll: () => load(MAX_SELECTED, MAX_PAGE),
    remove: (certids) => {
      const claimed = new Set(certids);
      for (const row of lobbyRef.current.rows)
        if (claimed.has(row.certid)) claimedRows.current.add(row.certid + row.enteredAt);
      put(without(lobbyRef.current, claimed));
    },
  };
}
