/**
 * Polls a claimed device: every second at first, then less often, until its status is final. A failed poll
 * keeps the last data.
 */
import { useDocumentVisibility, useNetwork } from "@mantine/hooks";
import type { CombinedError } from "@urql/core";
import { useCallback, useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { graphql, type ResultOf } from "../../api/graphql";
import type { TargetName } from "../../parts/target_names";
import { useSession } from "../../sign_in/gate";
import { type ClaimProgress, claimProgress, pollAfter } from "./claim_progress";

export const FOLLOWED = graphql(`
  query Followed($certid: ID!) {
    device(certid: $certid) {
      certid devicename devstate targetaccount targetregion generation reason message claimedBy allowedActions
      showsCode triesLeft
      history(last: 20) { at actor event after }
    }
  }
`);

export type Followed = NonNullable<ResultOf<typeof FOLLOWED>["device"]>;

export interface Following {
  /** Null: the ledger has no row for it. Undefined: not loaded yet. */
  device: Followed | null | undefined;
  progress: ClaimProgress | null;
  /** When this page last saw a change, by this phone's clock. */
  changedAt: number;
  error: CombinedError | undefined;
  askNow: () => void;
}

const AFTER_ERROR_MS = 5_000;

export function useFollowed(certid: string, target: TargetName): Following {
  const client = useClient();
  const session = useSession();
  const visible = useDocumentVisibility() === "visible";
  const { online } = useNetwork();
  const { account, region } = target;
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState<Omit<Following, "askNow">>({
    device: undefined,
    progress: null,
    changedAt: Date.now(),
    error: undefined,
  });
  const last = useRef(state);
  const looking = Boolean(session) && visible && online;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` asks again
  useEffect(() => {
    if (!looking) return;
    let going = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      const { data, error } = await client
        .query(FOLLOWED, { certid }, { requestPolicy: "network-only" })
        .toPromise();
      if (!going) return;
      last.current =
        data && !error ? changed(last.current, data.device, { account, region }) : { ...last.current, error };
      setState(last.current);
      const { progress, changedAt } = last.current;
      const pause = error || !progress ? AFTER_ERROR_MS : pollAfter(progress.status, Date.now() - changedAt);
      if (pause !== null) timer = setTimeout(ask, pause);
    };
    void ask();
    return () => {
      going = false;
      clearTimeout(timer);
    };
  }, [client, certid, account, region, looking, turn]);

  const askNow = useCallback(() => {
    last.current = { ...last.current, changedAt: Date.now() };
    setTurn((before) => before + 1);
  }, []);
  return { ...state, askNow };
}

function changed(
  before: Omit<Following, "askNow">,
  device: Followed | null,
  target: TargetName,
): Omit<Following, "askNow"> {
  const known = before.device;
  const same =
    known !== undefined && known?.devstate === device?.devstate && known?.generation === device?.generation;
  return {
    device,
    progress: claimProgress(device, target),
    changedAt: same ? before.changedAt : Date.now(),
    error: undefined,
  };
}
