/** Who stands in the lobby now, newest first, and the way to claim one of them or many. */

import { Anchor, Box, Button, Center, Text } from "@mantine/core";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Link } from "wouter";
import { AsOf } from "../../parts/as_of";
import { type Counts, useCounts } from "../../parts/counts";
import { FailureNotice } from "../../parts/failure_notice";
import { FreshNotice } from "../../parts/fresh_notice";
import { useHandsOn } from "../../parts/hands_on";
import { Loading } from "../../parts/loading";
import { counted, whole } from "../../parts/numbers";
import { PageHead } from "../../parts/page_head";
import { useSteady } from "../../parts/use_steady";
import { useMe } from "../../sign_in/me";
import { devicesAddress } from "../addresses";
import { ClaimDialog } from "./claim_dialog";
import { type Claimed, ClaimedNotice } from "./claimed_notice";
import { EmptyLobby } from "./empty_lobby";
import { SelectionBar } from "./selection_bar";
import { useSelection } from "./use_selection";
import { PAGE, useWaiting, type WaitingRow } from "./use_waiting";
import { WaitingList } from "./waiting_list";
import { isClaimable } from "./waiting_row";

export default function WaitingPage() {
  const counts = useCounts();
  const waiting = useWaiting();
  return (
    <>
      <PageHead title="Waiting">
        <Numbers counts={counts} />
      </PageHead>
      {waiting.at !== null ? (
        <Lobby counts={counts} waiting={waiting} at={waiting.at} />
      ) : waiting.failure ? (
        <FailureNotice failure={waiting.failure} onRetry={waiting.look} />
      ) : (
        <Loading what="who waits" />
      )}
    </>
  );
}

interface LobbyProps {
  counts: Counts;
  waiting: ReturnType<typeof useWaiting>;
  at: Date;
}

function Lobby({ counts, waiting, at }: LobbyProps) {
  const mayClaim = useMe().may("claimDevices");
  const { handsOn, watch } = useHandsOn();
  const [dialog, setDialog] = useState<readonly WaitingRow[] | null>(null);
  // All that are loaded can be selected; as many as somebody wants to look at are shown.
  const [limit, setLimit] = useState(PAGE);
  const [claimed, setClaimed] = useState<Claimed | null>(null);
  const selecting = useSelection();
  const { chosen, follow } = selecting;
  const { list, show } = useSteady(waiting.rows, handsOn || dialog !== null || chosen.size > 0);
  const order = useMemo(
    () => list.rows.filter((row) => !list.gone.has(row.certid) && isClaimable(row)).map((row) => row.certid),
    [list],
  );
  useEffect(() => follow(order), [follow, order]);
  const shown = useMemo(() => ({ ...list, rows: list.rows.slice(0, limit) }), [list, limit]);
  const all = shown.rows.every((row) => chosen.has(row.certid) || !order.includes(row.certid));

  const open = useCallback((rows: readonly WaitingRow[]) => {
    setClaimed(null);
    setDialog(rows);
  }, []);
  const openOne = useCallback((row: WaitingRow) => open([row]), [open]);
  const onClaimed = (certids: readonly string[], target: string) => {
    setClaimed((before) => ({ count: (before?.count ?? 0) + certids.length, target }));
    waiting.remove(certids);
    show();
  };
  const showMore = async () => {
    if (list.rows.length <= limit) await waiting.more();
    setLimit((before) => before + PAGE);
  };
  const selectEverybody = async () => {
    const rows = await waiting.everybody();
    show();
    selecting.selectAll(rows.map((row) => row.certid));
  };

  return (
    <>
      <AsOf at={at} failure={waiting.failure} onRetry={waiting.look} />
      {claimed && <ClaimedNotice claimed={claimed} onClose={() => setClaimed(null)} />}
      <FreshNotice words={freshWords(list.fresh.length)} onShow={show} />
      {list.rows.length === 0 ? (
        <EmptyLobby knocking={counts.of("knocking")} />
      ) : (
        <Box {...watch}>
          <WaitingList list={shown} selecting={selecting} mayClaim={mayClaim} onClaim={openOne} />
        </Box>
      )}
      {(waiting.hasMore || list.rows.length > limit) && <More loading={waiting.loading} onMore={showMore} />}
      <SelectionBar
        selected={chosen.size}
        beyond={chosen.size - shown.rows.filter((row) => chosen.has(row.certid)).length}
        more={all && (waiting.hasMore || chosen.size < order.length)}
        total={counts.of("inlobby")}
        loading={waiting.loading}
        onEverybody={selectEverybody}
        onClear={selecting.clear}
        onClaim={() => open(list.rows.filter((row) => chosen.has(row.certid)))}
      />
      <ClaimDialog devices={dialog} onClaimed={onClaimed} onClose={() => setDialog(null)} />
    </>
  );
}

function Numbers({ counts }: { counts: Counts }) {
  const [inlobby, knocking] = [counts.of("inlobby"), counts.of("knocking")];
  if (inlobby === undefined || knocking === undefined) return null;
  return (
    <Text size="sm" c="dimmed" role="status">
      {whole(inlobby)} in the lobby ·{" "}
      <Anchor component={Link} underline="always" href={devicesAddress({ state: "knocking" })} size="sm">
        {whole(knocking)} knocking
      </Anchor>
    </Text>
  );
}

function More({ loading, onMore }: { loading: boolean; onMore: () => void }) {
  return (
    <Center mt="md">
      <Button variant="default" loading={loading} onClick={onMore}>
        Show more
      </Button>
    </Center>
  );
}

function freshWords(count: number): string | null {
  return count === 0 ? null : counted(count, "new device");
}
