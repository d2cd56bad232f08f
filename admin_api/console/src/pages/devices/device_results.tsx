/** The results of a query: updated without moving rows, or the reason why there are none. */
import { Button, Stack } from "@mantine/core";
import { useState } from "react";
import type { Counts } from "../../parts/counts";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { formatNumber } from "../../parts/numbers";
import type { StableList } from "../../parts/stable_list";
import { StaleNotice } from "../../parts/stale_notice";
import type { TargetEntry } from "../../parts/targets";
import { UpdateNotice } from "../../parts/update_notice";
import { useStableList } from "../../parts/use_stable_list";
import { type Column, LAST_HELLO, RENEWAL, SINCE } from "./columns";
import type { DeviceLine } from "./device_line";
import { DeviceList } from "./device_list";
import { EmptyDevices } from "./empty_devices";
import { ALL_DEVICES, changeQuery, filterOf, isByTime, type ListQuery, listAddress } from "./list_query";
import { recordNextPage } from "./page_trail";
import { Pager } from "./pager";
import { totalOf } from "./position";
import { nextSort, type Sort, sorted } from "./sorting";
import { useChanging } from "./use_changing";
import { type Page, usePage } from "./use_page";

interface Props {
  query: ListQuery;
  columns: readonly Column[];
  known: readonly TargetEntry[] | undefined;
  counts: Counts;
  onAsk: (query: ListQuery) => void;
}

export function DeviceResults({ query, columns, known, counts, onAsk }: Props) {
  const { page, failure, refresh } = usePage(
    query,
    columns.some(({ key }) => key === LAST_HELLO),
    columns.some(({ key }) => key === RENEWAL),
  );
  const openedAt = useOpenedAt(listAddress(query));
  if (!page && failure?.code === "INVALID_CURSOR")
    return (
      <Stack>
        <FailureNotice failure={failure} />
        <Button variant="default" onClick={() => onAsk({ ...query, after: null })}>
          Go to first page
        </Button>
      </Stack>
    );
  if (!page && failure) return <FailureNotice failure={failure} onRetry={refresh} />;
  if (!page) return <Loading what="devices" />;
  return (
    <>
      <StaleNotice at={page.at} failure={failure} onRetry={refresh} />
      <ResultList
        page={page}
        openedAt={openedAt}
        query={query}
        columns={columns}
        known={known}
        counts={counts}
        onAsk={onAsk}
      />
    </>
  );
}

function ResultList({
  page,
  openedAt,
  query,
  columns,
  known,
  counts,
  onAsk,
}: Props & { page: Page; openedAt: Date }) {
  // A cached page from before this visit is replaced by the first update.
  const key = `${listAddress(query)} ${page.at < openedAt}`;
  const [sort, setSort] = useState<Sort | null>(null);
  const { list, show } = useStableList(page.nodes, true, key);
  const changing = useChanging(query, list, known);
  const next = (cursor: string) => {
    recordNextPage(query.after, cursor, page.nodes.length);
    onAsk({ ...query, after: cursor });
    scrollTo({ top: 0 });
  };
  // All pages can be sorted by time. By other columns, only the rows of one page can be sorted.
  const sortBy = (by: string) => {
    const byTime = by === SINCE && isByTime(query);
    setSort(byTime ? null : nextSort(sort, by));
    if (byTime) onAsk(changeQuery(query, { oldest: !query.oldest }));
  };
  const shownSort = sort ?? (query.oldest && isByTime(query) ? { by: SINCE, descending: false } : null);
  const isEmpty = list.rows.length === 0 && page.next === null;
  return (
    <>
      <UpdateNotice text={changesOf(list)} onShow={show} />
      {isEmpty ? (
        <EmptyDevices
          filtered={filterOf(query) !== null || query.after !== null}
          onClear={() => onAsk({ ...ALL_DEVICES, size: query.size })}
        />
      ) : (
        list.rows.length > 0 && (
          <DeviceList
            list={sortedList(list, columns, sort)}
            columns={columns}
            known={known}
            sort={shownSort}
            onSort={sortBy}
            selecting={changing.selecting}
          />
        )
      )}
      {changing.bar}
      {!(isEmpty && query.after === null) && (
        <Pager
          query={query}
          page={page}
          total={page.total ?? totalOf(query, counts)}
          sort={columns.find(({ key }) => key === sort?.by)?.label}
          onNext={next}
          onBack={(cursor) => onAsk({ ...query, after: cursor })}
          onSize={(size) => onAsk(changeQuery(query, { size }))}
        />
      )}
    </>
  );
}

/** The rows of the page in the order that the user chose; a hidden column does not count. */
function sortedList(
  list: StableList<DeviceLine>,
  columns: readonly Column[],
  sort: Sort | null,
): StableList<DeviceLine> {
  const valueIn = columns.find(({ key }) => key === sort?.by)?.sort;
  return sort && valueIn ? { ...list, rows: sorted(list.rows, valueIn, sort.descending) } : list;
}

/** When this address was opened. */
function useOpenedAt(address: string): Date {
  const [opened, setCame] = useState(() => ({ address, at: new Date() }));
  if (opened.address === address) return opened.at;
  const next = { address, at: new Date() };
  setCame(next);
  return next.at;
}

/** "2 new, 1 gone"; null: no changes. */
function changesOf({ fresh, gone }: StableList<DeviceLine>): string | null {
  const parts = [
    ...(fresh.length > 0 ? [`${formatNumber(fresh.length)} new`] : []),
    ...(gone.size > 0 ? [`${formatNumber(gone.size)} removed`] : []),
  ];
  return parts.length > 0 ? parts.join(", ") : null;
}
