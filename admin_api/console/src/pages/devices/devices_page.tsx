/**
 * The device list, filtered by the address: state, target, reason, renewal, and the start of a name or fingerprint.
 */
import { Box, Group, SimpleGrid, Stack } from "@mantine/core";
import { type ReactNode, useEffect, useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import { type Counts, useCounts } from "../../parts/counts";
import { notLoaded } from "../../parts/not_loaded";
import { PageHead } from "../../parts/page_head";
import { usePhone } from "../../parts/phone";
import { TargetPicker, useTargets } from "../../parts/targets";
import { deviceAddress } from "../addresses";
import { ColumnMenu } from "./column_menu";
import { useColumns } from "./columns";
import { DeviceResults } from "./device_results";
import { ExportButton } from "./export_button";
import { changeQuery, type ListQuery, listAddress, parseListQuery, withSearch } from "./list_query";
import { rememberList } from "./page_trail";
import { ReasonFilter, WITH_REASON } from "./reason_filter";
import { RenewalFilter } from "./renewal_filter";
import { SearchBox } from "./search_box";
import type { Kind } from "./search_text";
import { StateFilter } from "./state_filter";

export default function DevicesPage() {
  const search = useSearch();
  const [, navigate] = useLocation();
  const query = useMemo(() => parseListQuery(search), [search]);
  const columns = useColumns(query.renewal !== null);
  const phone = usePhone();
  const { targets, error, again } = useTargets();
  const counts = useCounts();
  useEffect(() => rememberList(listAddress(query)), [query]);
  const ask = (next: ListQuery, replace = false) => navigate(listAddress(next), { replace });
  return (
    <>
      <PageHead title="Devices">
        {!phone && (
          <>
            <ExportButton query={query} />
            <ColumnMenu shown={columns.shown} onToggle={columns.toggle} />
          </>
        )}
      </PageHead>
      <Filters
        query={query}
        onAsk={ask}
        onDevice={(certid) => navigate(deviceAddress(certid))}
        targets={targets ?? []}
        unloaded={notLoaded("targets", { loaded: targets, error, again })}
        counts={counts}
      />
      <DeviceResults query={query} columns={columns.shown} known={targets} counts={counts} onAsk={ask} />
    </>
  );
}

interface FiltersProps {
  query: ListQuery;
  onAsk: (query: ListQuery, replace?: boolean) => void;
  onDevice: (certid: string) => void;
  targets: Parameters<typeof TargetPicker>[0]["targets"];
  /** Why there are no targets. */
  unloaded: ReactNode;
  counts: Counts;
}

function Filters({ query, onAsk, onDevice, targets, unloaded, counts }: FiltersProps) {
  const phone = usePhone();
  const { state, target, reason, name, print, renewal } = query;
  const kind: Kind | null = name !== null ? "name" : print !== null ? "print" : null;
  const onSearch = (wanted: Kind | null, text: string) => {
    const next = withSearch(query, wanted, text);
    // Typing is one step for the back button.
    if (listAddress(next) !== listAddress(query)) onAsk(next, name !== null || print !== null);
  };
  const box = <SearchBox kind={kind} text={name ?? print ?? ""} onSearch={onSearch} onDevice={onDevice} />;
  const states = (
    <StateFilter
      state={state}
      counts={counts}
      onChange={(next) => onAsk(changeQuery(query, { state: next }))}
    />
  );
  const reasons = (reason !== null || WITH_REASON.includes(state ?? "")) && (
    <ReasonFilter
      state={state}
      reason={reason}
      counts={counts}
      onChange={(next) => onAsk(changeQuery(query, { reason: next }))}
    />
  );
  const renewals = (renewal !== null || !phone) && (
    <RenewalFilter renewal={renewal} onChange={(next) => onAsk(changeQuery(query, { renewal: next }))} />
  );
  const picker = (
    <TargetPicker
      targets={targets}
      value={target}
      onChange={(next) => onAsk(changeQuery(query, { target: next }))}
      clearable
      placeholder="All"
      error={unloaded}
    />
  );
  if (phone)
    return (
      <Stack gap="xs" mb="md">
        {box}
        <SimpleGrid cols={2} spacing="xs">
          {states}
          {picker}
        </SimpleGrid>
        {reasons}
        {renewals}
      </Stack>
    );
  return (
    <Stack gap="sm" mb="md">
      {states}
      <Group align="start" gap="sm">
        <Box flex="1 1 280px">{box}</Box>
        <Box w={280}>{picker}</Box>
        {reasons && <Box w={240}>{reasons}</Box>}
        {renewals && <Box w={240}>{renewals}</Box>}
      </Group>
    </Stack>
  );
}
