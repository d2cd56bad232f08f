/** One waiting device: a table row on a desktop, a card on a phone. */
import { Anchor, Badge, Box, Button, Checkbox, Group, Paper, Stack, Table, Text } from "@mantine/core";
import { type ChangeEvent, memo } from "react";
import { Link } from "wouter";
import { Fingerprint } from "../../parts/fingerprint";
import { Elapsed, exact } from "../../parts/time";
import { deviceAddress } from "../addresses";
import type { WaitingRow } from "./use_waiting";

export interface LineProps {
  row: WaitingRow;
  selected: boolean;
  /** It no longer waits, and stays in place while the user works in the list. */
  gone: boolean;
  /** Whether the user may claim it. */
  claimable: boolean;
  onClick: (certid: string, range: boolean) => void;
  onClaim: (row: WaitingRow) => void;
}

/** Whether its state allows a claim, according to the API. */
export function isClaimable(row: WaitingRow): boolean {
  return row.allowedActions.includes("claimDevice");
}

export const WaitingLine = memo(function WaitingLine(props: LineProps) {
  const { row, selected, gone, claimable } = props;
  return (
    <Table.Tr bg={selected ? "var(--mantine-primary-color-light)" : undefined} opacity={gone ? 0.55 : 1}>
      {claimable && (
        <Table.Td>
          <Tick {...props} />
        </Table.Td>
      )}
      <Table.Td maw={340}>
        <Name row={row} />
      </Table.Td>
      <Table.Td>
        <Fingerprint certid={row.certid} copy />
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        <Elapsed at={row.enteredAt} /> <Offline row={row} />
      </Table.Td>
      <Table.Td ta="right">{claimable && <Claim {...props} />}</Table.Td>
    </Table.Tr>
  );
});

export const WaitingCard = memo(function WaitingCard(props: LineProps) {
  const { row, selected, gone, claimable } = props;
  return (
    <Paper
      component="li"
      withBorder
      p="xs"
      opacity={gone ? 0.55 : 1}
      bg={selected ? "var(--mantine-primary-color-light)" : undefined}
    >
      <Group gap="xs" align="center">
        {claimable && <Tick {...props} />}
        <Stack gap={2} flex="1 1 10rem" miw={0}>
          <Name row={row} />
          <Fingerprint certid={row.certid} />
          <Text size="xs" c="dimmed">
            {" "}
            Waiting for <Elapsed at={row.enteredAt} /> <Offline row={row} />
          </Text>
        </Stack>
        {claimable && <Claim {...props} />}
      </Group>
    </Paper>
  );
});

function Tick({ row, selected, gone, onClick }: LineProps) {
  const change = (event: ChangeEvent<HTMLInputElement>) =>
    onClick(row.certid, (event.nativeEvent as MouseEvent).shiftKey === true);
  return (
    <Box component="label" className="tick">
      <Checkbox
        size="md"
        checked={selected}
        disabled={gone || !isClaimable(row)}
        onChange={change}
        data-certid={row.certid}
        aria-label={`Select ${row.devicename ?? row.certid}`}
      />
    </Box>
  );
}

function Name({ row }: { row: WaitingRow }) {
  return (
    <Anchor
      component={Link}
      href={deviceAddress(row.certid)}
      size="sm"
      fw={500}
      className="reach"
      title={row.devicename ?? undefined}
    >
      <Text span inherit lineClamp={2}>
        {row.devicename ?? "No name"}
      </Text>
    </Anchor>
  );
}

/** A device that is switched off cannot follow a claim. An unknown status is not shown. */
function Offline({ row: { online, onlineSince } }: { row: WaitingRow }) {
  if (online !== false) return null;
  return (
    <Badge
      color="gray"
      variant="light"
      size="sm"
      tt="none"
      title={onlineSince ? `Since ${exact(onlineSince)}` : undefined}
    >
      Offline
    </Badge>
  );
}

function Claim({ row, gone, onClaim }: LineProps) {
  if (gone)
    return (
      <Text size="xs" c="dimmed">
        No longer waiting
      </Text>
    );
  if (!isClaimable(row)) return null;
  return (
    <Button
      size="xs"
      variant="default"
      onClick={() => onClaim(row)}
      aria-label={`Claim ${row.devicename ?? row.certid}`}
    >
      Claim
    </Button>
  );
}
