/**
 * Who waits, looked at every 3 seconds while the page is in view: always the newest, and where more was loaded, one
 * further page in turn, so that who has left is seen to have left there, too.
 */
import { useCallback, useRef, useState } from "react";
import { useClient } from "urql";
import { useEvery } from "../../api/every";
import { type Failure, failureOf } from "../../api/failures";
import { graphql, type ResultOf } from "../../api/graphql";
import { type Answer, answerOf, type Lobby, NOBODY, type Place, taken, without } from "./lobby_rows";
import { MAX_SELECTED } from "./selection";

export const WAITING = graphql(`
  query Waiting($first: Int!, $after: String) {
    devices(filter: { state: "inlobby" }, first: $first, after: $after) {
      nodes { certid devicename enteredAt firstSeen lobbyRegion allowedActions }
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
  /** Whether there are further ones. */
  hasMore: boolean;
  /** When the newest were last seen; null: never yet. */
  at: Date | null;
  failure: Failure | undefined;
  /** Whether further ones are being loaded. */
  loading: boolean;
  look: () => Promise<void>;
  /** The next page. */
  more: () => Promise<void>;
  /** As many as can be selected; gives them. */
  everybody: () => Promise<readonly WaitingRow[]>;
  /** They have been claimed: they need not be waited for to leave. */
  remove: (certids: readonly string[]) => void;
}

export function useWaiting(): Waiting {
  const client = useClient();
  const [lobby, setLobby] = useState<Lobby<WaitingRow>>(NOBODY);
  const [at, setAt] = useState<Date | null>(null);
  const [failure, setFailure] = useState<Failure>();
  const [loading, setLoading] = useState(false);
  const held = useRef<Lobby<WaitingRow>>(NOBODY);
  const departed = useRef(new Set<string>());
  const walk = useRef<Place | null>(null);

  const put = useCallback((next: Lobby<WaitingRow>) => {
    held.current = next;
    setLobby(next);
  }, []);

  const ask = useCallback(
    async (from: Place | null, first: number): Promise<Answer<WaitingRow> | undefined> => {
      const { data, error } = await client
        .query(WAITING, { first, after: from?.cursor ?? null }, { requestPolicy: "network-only" })
        .toPromise();
      setFailure(error && failureOf(error));
      if (!data) return undefined;
      const answer = answerOf(data.devices.nodes, data.devices.pageInfo, from);
      // An index may show for some milliseconds who was claimed just now. One who comes back waits since later.
      const nodes = answer.nodes.filter((row) => !departed.current.has(row.certid + row.enteredAt));
      put(taken(held.current, { ...answer, nodes }));
      if (from === null) setAt(new Date());
      return answer;
    },
    [client, put],
  );

  const look = useCallback(async () => {
    const head = await ask(null, PAGE);
    if (!head?.end || !held.current.deep) return;
    const further = await ask(walk.current ?? head.end, PAGE);
    const deepest = held.current.rows.at(-1);
    const on = further?.end && deepest && deepest.enteredAt < further.end.enteredAt;
    walk.current = on ? further.end : null;
  }, [ask]);

  const load = useCallback(
    async (upTo: number, first: number) => {
      setLoading(true);
      while (held.current.bottom && held.current.rows.length < upTo) {
        if (!(await ask(held.current.bottom, first))) break;
      }
      setLoading(false);
      return held.current.rows;
    },
    [ask],
  );

  useEvery(EVERY_MS, look, "");

  return {
    rows: lobby.rows,
    hasMore: lobby.bottom !== null,
    at,
    failure,
    loading,
    look,
    more: async () => void (await load(held.current.rows.length + 1, PAGE)),
    everybody: () => load(MAX_SELECTED, MAX_PAGE),
    remove: (certids) => {
      const claimed = new Set(certids);
      for (const row of held.current.rows)
        if (claimed.has(row.certid)) departed.current.add(row.certid + row.enteredAt);
      put(without(held.current, claimed));
    },
  };
}
