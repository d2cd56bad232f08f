/** The waiting devices: a table with checkboxes on a desktop, cards on a phone. */
import { Box, Checkbox, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { usePhone } from "../../parts/phone";
import type { StableList } from "../../parts/stable_list";
import type { Selecting } from "./use_selection";
import type { WaitingRow } from "./use_waiting";
import { isClaimable, type LineProps, WaitingCard, WaitingLine } from "./waiting_row";

interface Props {
  list: StableList<WaitingRow>;
  selecting: Selecting;
  mayClaim: boolean;
  onClaim: (row: WaitingRow) => void;
}

export function WaitingList({ list, selecting, mayClaim, onClaim }: Props) {
  const phone = usePhone();
  const lines = list.rows.map((row): LineProps & { key: string } => ({
    key: row.certid,
    row,
    selected: selecting.chosen.has(row.certid),
    gone: list.gone.has(row.certid),
    claimable: mayClaim,
    onClick: selecting.click,
    onClaim,
  }));
  const loadAll = mayClaim && <SelectAll list={list} selecting={selecting} labelled={phone} />;
  if (phone)
    return (
      <Stack gap="xs" onKeyDown={selecting.onKeyDown}>
        {loadAll}
        <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: "none" }} aria-label="Waiting devices">
          {lines.map(({ key, ...line }) => (
            <WaitingCard key={key} {...line} />
          ))}
        </Stack>
      </Stack>
    );
  return (
    <Table verticalSpacing={2} aria-label="Waiting devices" onKeyDown={selecting.onKeyDown}>
      <Table.Thead>
        <Table.Tr>
          {mayClaim && <Table.Th w={44}>{loadAll}</Table.Th>}
          <Table.Th>Name</Table.Th>
          <Table.Th w={200}>Fingerprint</Table.Th>
          <Table.Th w={130}>Waiting for</Table.Th>
          <Table.Th w={120}>
            <VisuallyHidden>Actions</VisuallyHidden>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {lines.map(({ key, ...line }) => (
          <WaitingLine key={key} {...line} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function SelectAll({
  list,
  selecting,
  labelled,
}: {
  list: StableList<WaitingRow>;
  selecting: Selecting;
  labelled: boolean;
}) {
  const here = list.rows
    .filter((row) => !list.gone.has(row.certid) && isClaimable(row))
    .map((row) => row.certid);
  const chosen = selecting.chosen.size;
  const allChosen = chosen > 0 && here.every((certid) => selecting.chosen.has(certid));
  return (
    <Box component="label" className="tick">
      <Checkbox
        size="md"
        checked={allChosen}
        indeterminate={chosen > 0 && !allChosen}
        disabled={here.length === 0}
        onChange={() => (allChosen ? selecting.clear() : selecting.selectAll(here))}
        aria-label="Select all shown"
      />
      {labelled && <Text size="sm">Select all shown</Text>}
    </Box>
  );
}
