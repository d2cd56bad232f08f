/** A page of devices: a table on a desktop, cards on a phone. Each row links to the device. */
import { Checkbox, Group, Paper, Stack, Table, Text, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconSelector } from "@tabler/icons-react";
import { Link } from "wouter";
import { shortForm } from "../../label/short_form";
import { usePhone } from "../../parts/phone";
import type { StableList } from "../../parts/stable_list";
import { StateBadge } from "../../parts/state_badge";
import type { TargetEntry } from "../../parts/targets";
import { Ago } from "../../parts/time";
import { deviceAddress } from "../addresses";
import type { Selecting } from "../waiting/use_selection";
import { type Column, NameText, Reason, targetOf } from "./columns";
import type { DeviceLine } from "./device_line";
import type { Sort } from "./sorting";

interface Props {
  list: StableList<DeviceLine>;
  columns: readonly Column[];
  known: readonly TargetEntry[] | undefined;
  sort: Sort | null;
  onSort: (by: string) => void;
  /** Undefined: devices cannot be selected. */
  selecting?: Selecting | undefined;
}

/** The minimum width of a column without a specified width. */
const FLEXIBLE_PX = 130;
const GONE = "Changed. No longer in this list.";

export function DeviceList({ list, columns, known, sort, onSort, selecting }: Props) {
  const phone = usePhone();
  if (phone)
    return (
      <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: "none" }} aria-label="Devices">
        {list.rows.map((line) => (
          <li key={line.certid}>
            <DeviceCard line={line} gone={list.gone.has(line.certid)} known={known} />
          </li>
        ))}
      </Stack>
    );
  return (
    <Table.ScrollContainer minWidth={columns.reduce((sum, { width }) => sum + (width ?? FLEXIBLE_PX), 0)}>
      <Table verticalSpacing={4} aria-label="Devices" layout="auto" onKeyDown={selecting?.onKeyDown}>
        <Table.Thead>
          <Table.Tr>
            {selecting && (
              <Table.Th w={44}>
                <SelectPage list={list} selecting={selecting} />
              </Table.Th>
            )}
            {columns.map((column) => (
              <Head key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {list.rows.map((line) => {
            const gone = list.gone.has(line.certid);
            return (
              <Table.Tr key={line.certid} opacity={gone ? 0.55 : 1} title={gone ? GONE : undefined}>
                {selecting && (
                  <Table.Td>
                    <Checkbox
                      size="md"
                      checked={selecting.chosen.has(line.certid)}
                      disabled={gone}
                      onChange={(event) =>
                        selecting.click(line.certid, (event.nativeEvent as MouseEvent).shiftKey === true)
                      }
                      data-certid={line.certid}
                      aria-label={`Select ${line.devicename ?? line.certid}`}
                      className="tick"
                    />
                  </Table.Td>
                )}
                {columns.map(({ key, most = 320, cell }) => (
                  <Table.Td key={key} maw={most}>
                    {cell(line, known)}
                  </Table.Td>
                ))}
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

interface HeadProps {
  column: Column;
  sort: Sort | null;
  onSort: (by: string) => void;
}

function Head({ column: { key, label, width, sort: by }, sort, onSort }: HeadProps) {
  const direction = sort?.by !== key ? "none" : sort.descending ? "descending" : "ascending";
  if (!by) return <Table.Th w={width}>{label}</Table.Th>;
  const Icon = { none: IconSelector, ascending: IconChevronUp, descending: IconChevronDown }[direction];
  return (
    <Table.Th w={width} aria-sort={direction}>
      <UnstyledButton
        fz="sm"
        fw={700}
        py={4}
        title="Sort the devices of this page"
        style={{ whiteSpace: "nowrap" }}
        onClick={() => onSort(key)}
      >
        {label} <Icon size={14} aria-hidden style={{ verticalAlign: "-2px" }} />
      </UnstyledButton>
    </Table.Th>
  );
}

function SelectPage({ list, selecting }: { list: Props["list"]; selecting: Selecting }) {
  const selectable = list.rows.filter((line) => !list.gone.has(line.certid)).map((line) => line.certid);
  const chosen = selectable.filter((certid) => selecting.chosen.has(certid)).length;
  const all = chosen === selectable.length && chosen > 0;
  return (
    <Checkbox
      size="md"
      checked={all}
      indeterminate={chosen > 0 && !all}
      onChange={() => (all ? selecting.clear() : selecting.selectAll(selectable))}
      aria-label="Select all on this page"
      className="tick"
    />
  );
}

interface CardProps {
  line: DeviceLine;
  gone: boolean;
  known: Props["known"];
}

function DeviceCard({ line, gone, known }: CardProps) {
  const { certid, devicename, expectedName, devstate, enteredAt, reason } = line;
  return (
    <Paper
      component={Link}
      href={deviceAddress(certid)}
      withBorder
      p="sm"
      display="block"
      c="inherit"
      td="none"
      opacity={gone ? 0.55 : 1}
    >
      <Stack gap={6}>
        <Group justify="space-between" gap="xs">
          {devstate && <StateBadge state={devstate} reason={reason} />}
          <Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }}>
            <Ago at={enteredAt} />
          </Text>
        </Group>
        <Text size="sm" fw={500} lineClamp={2}>
          <NameText devicename={devicename} expectedName={expectedName} />
        </Text>
        <Text size="sm" ff="monospace" c="dimmed">
          {shortForm(certid)}
        </Text>
        {targetOf(line, known)}
        {reason && <Reason reason={reason} />}
        {gone && <Text size="xs">{GONE}</Text>}
      </Stack>
    </Paper>
  );
}
