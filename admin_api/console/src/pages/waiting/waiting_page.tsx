/** The waiting devices, newest first, with actions to claim one or many. */

import { Anchor, Box, Button, Center, Text } from "@mantine/core";
import { IconFileSpreadsheet } from "@tabler/icons-react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Link } from "wouter";
import { type Counts, useCounts } from "../../parts/counts";
import { FailureNotice } from "../../parts/failure_notice";
import { useInteraction } from "../../parts/interaction";
import { Loading } from "../../parts/loading";
import { formatNumber, pluralize } from "../../parts/numbers";
import { PageHead } from "../../parts/page_head";
import { StaleNotice } from "../../parts/stale_notice";
import { UpdateNotice } from "../../parts/update_notice";
import { useStableList } from "../../parts/use_stable_list";
import { useMe } from "../../sign_in/me";
import { devicesAddress } from "../addresses";
import { BulkDialog, type BulkRequest } from "../bulk/bulk_dialog";
import { BulkMenu } from "../bulk/bulk_menu";
import type { BulkAction } from "../bulk/change";
import { ClaimDialog } from "./claim_dialog";
import { type Claimed, ClaimedNotice } from "./claimed_notice";
import { EmptyLobby } from "./empty_lobby";
import { ListDialog } from "./list_dialog";
import { SelectionBar } from "./selection_bar";
import { useSelection } from "./use_selection";
import { PAGE, useWaiting, type WaitingRow } from "./use_waiting";
import { WaitingList } from "./waiting_list";
import { isClaimable } from "./waiting_row";

/** A waiting device has no claim to move or release. */
const FOR_WAITING: readonly BulkAction[] = ["retry", "revoke"];

export default function WaitingPage() {
  const counts = useCounts();
  const waiting = useWaiting();
  const mayClaim = useMe().may("claimDevices");
  return (
    <>
      <PageHead title="Waiting">
        <Numbers counts={counts} />
        {mayClaim && <ClaimFromFile onClaimed={(certids) => waiting.remove(certids)} />}
      </PageHead>
      {waiting.at !== null ? (
        <Lobby counts={counts} waiting={waiting} at={waiting.at} />
      ) : waiting.failure ? (
        <FailureNotice failure={waiting.failure} onRetry={waiting.refresh} />
      ) : (
        <Loading what="waiting devices" />
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
  const { interacting, watch } = useInteraction();
  const [dialog, setDialog] = useState<readonly WaitingRow[] | null>(null);
  // All loaded devices can be selected; fewer are shown.
  const [limit, setLimit] = useState(PAGE);
  const [claimed, setClaimed] = useState<Claimed | null>(null);
  const [change, setChange] = useState<BulkRequest | null>(null);
  const selecting = useSelection();
  const { chosen, follow } = selecting;
  const { list, show } = useStableList(
    waiting.rows,
    interacting || dialog !== null || change !== null || chosen.size > 0,
  );
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
  const selectAllWaiting = async () => {
    const rows = await waiting.loadAll();
    show();
    selecting.selectAll(rows.map((row) => row.certid));
  };

  return (
    <>
      <StaleNotice at={at} failure={waiting.failure} onRetry={waiting.refresh} />
      {claimed && <ClaimedNotice claimed={claimed} onClose={() => setClaimed(null)} />}
      <UpdateNotice text={freshText(list.fresh.length)} onShow={show} />
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
        onSelectAll={selectAllWaiting}
        onClear={selecting.clear}
        onClaim={() => open(list.rows.filter((row) => chosen.has(row.certid)))}
      >
        <BulkMenu
          label="More"
          among={FOR_WAITING}
          disabled={waiting.loading}
          onBegin={(action) =>
            setChange({
              action,
              chosen: { certids: [...chosen] },
              what: pluralize(chosen.size, "selected device"),
            })
          }
        />
      </SelectionBar>
      <ClaimDialog devices={dialog} onClaimed={onClaimed} onClose={() => setDialog(null)} />
      <BulkDialog request={change} onClose={() => setChange(null)} />
    </>
  );
}

function ClaimFromFile({ onClaimed }: { onClaimed: (certids: readonly string[]) => void }) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconFileSpreadsheet size={18} aria-hidden />}
        onClick={() => setOpened(true)}
      >
        Claim from file
      </Button>
      <ListDialog opened={opened} onClaimed={onClaimed} onClose={() => setOpened(false)} />
    </>
  );
}

function Numbers({ counts }: { counts: Counts }) {
  const [inlobby, knocking] = [counts.of("inlobby"), counts.of("knocking")];
  if (inlobby === undefined || knocking === undefined) return null;
  return (
    <Text size="sm" c="dimmed" role="status">
      {formatNumber(inlobby)} waiting ·{" "}
      <Anchor component={Link} underline="always" href={devicesAddress({ state: "knocking" })} size="sm">
        {formatNumber(knocking)} connecting
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

function freshText(count: number): string | null {
  return count === 0 ? null : pluralize(count, "new device");
}
