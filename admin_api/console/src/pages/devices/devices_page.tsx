/** All devices, by what the address asks for: state, target, reason, and how a name or a fingerprint begins. */
import { Box, Group, SimpleGrid, Stack } from "@mantine/core";
import { useEffect, useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import { useCounts } from "../../parts/counts";
import { PageHead } from "../../parts/page_head";
import { usePhone } from "../../parts/phone";
import { TargetPicker, useTargets } from "../../parts/targets";
import { deviceAddress } from "../addresses";
import { ColumnMenu } from "./column_menu";
import { useColumns } from "./columns";
import { DevicesFound } from "./devices_found";
import { ExportButton } from "./export_button";
import { addressOf, asking, type Question, questionOf, searching } from "./question";
import { ReasonFilter, WITH_REASON } from "./reason_filter";
import { SearchBox } from "./search_box";
import type { Kind } from "./search_text";
import { StateFilter } from "./state_filter";
import { lookedAt } from "./trail";

export default function DevicesPage() {
  const search = useSearch();
  const [, navigate] = useLocation();
  const question = useMemo(() => questionOf(search), [search]);
  const columns = useColumns();
  const phone = usePhone();
  const { targets } = useTargets();
  useEffect(() => lookedAt(addressOf(question)), [question]);
  const ask = (next: Question, replace = false) => navigate(addressOf(next), { replace });
  return (
    <>
      <PageHead title="Devices">
        {!phone && (
          <>
            <ExportButton question={question} />
            <ColumnMenu shown={columns.shown} onToggle={columns.toggle} />
          </>
        )}
      </PageHead>
      <Filters
        question={question}
        onAsk={ask}
        onDevice={(certid) => navigate(deviceAddress(certid))}
        targets={targets ?? []}
      />
      <DevicesFound question={question} columns={columns.shown} known={targets} onAsk={ask} />
    </>
  );
}

interface FiltersProps {
  question: Question;
  onAsk: (question: Question, replace?: boolean) => void;
  onDevice: (certid: string) => void;
  targets: Parameters<typeof TargetPicker>[0]["targets"];
}

function Filters({ question, onAsk, onDevice, targets }: FiltersProps) {
  const phone = usePhone();
  const counts = useCounts();
  const { state, target, reason, name, print } = question;
  const kind: Kind | null = name !== null ? "name" : print !== null ? "print" : null;
  const onSearch = (wanted: Kind | null, text: string) => {
    const next = searching(question, wanted, text);
    // Letter by letter is one step for the back button.
    if (addressOf(next) !== addressOf(question)) onAsk(next, name !== null || print !== null);
  };
  const box = <SearchBox kind={kind} text={name ?? print ?? ""} onSearch={onSearch} onDevice={onDevice} />;
  const states = (
    <StateFilter
      state={state}
      counts={counts}
      onChange={(next) => onAsk(asking(question, { state: next }))}
    />
  );
  const reasons = (reason !== null || WITH_REASON.includes(state ?? "")) && (
    <ReasonFilter
      state={state}
      reason={reason}
      counts={counts}
      onChange={(next) => onAsk(asking(question, { reason: next }))}
    />
  );
  const picker = (
    <TargetPicker
      targets={targets}
      value={target}
      onChange={(next) => onAsk(asking(question, { target: next }))}
      clearable
      placeholder="All"
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
      </Stack>
    );
  return (
    <Stack gap="sm" mb="md">
      {states}
      <Group align="start" gap="sm">
        <Box flex="1 1 280px">{box}</Box>
        <Box w={280}>{picker}</Box>
        {reasons && <Box w={240}>{reasons}</Box>}
      </Group>
    </Stack>
  );
}
